import type { Conversation, Engine } from "../core/ports.ts";

export const LF = 0x0a;

/** Whether there are more lines than `most`, empty ones among them; a line feed at the end begins none. */
export function hasMoreLines(bytes: Uint8Array, most: number): boolean {
  let lines = 0;
  for (let at = 0; at < bytes.length; lines++) {
    if (lines === most) return true;
    const end = bytes.indexOf(LF, at);
    if (end < 0) return false;
    at = end + 1;
  }
  return false;
}

/**
 * Hands the lines of one request to its conversation: at once, or over several turns if they cost much.
 *
 * @param done Called when the conversation has all lines.
 */
export function receiveLines(
  { work }: Engine,
  conversation: Conversation,
  lines: readonly string[],
  done: () => void,
): void {
  let next = 0;
  const go = (): void => {
    for (; next < lines.length; next++) {
      if (work.over) return work.later(goOn);
      conversation.receive(lines[next] ?? "");
    }
    done();
  };
  const goOn = (): void => {
    work.begin();
    const line = lines[next++];
    // One at least: the line may have waited for a turn that had no time left either.
    if (line !== undefined) conversation.receive(line);
    go();
  };
  if (work.begin()) go();
  else work.later(goOn);
}
