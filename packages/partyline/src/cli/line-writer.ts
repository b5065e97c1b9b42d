import type { Writable } from "node:stream";

/** Writes lines, and makes the writers wait while the stream is full. */
export interface LineWriter {
  /** Writes one line; resolves, or returns at once, when the stream takes more. */
  readonly write: (line: string) => Promise<void> | undefined;
}

/** All writers wait for one `drain` together: a listener for each would grow with the number of channels. */
export function createLineWriter(output: Writable): LineWriter {
  let drained: Promise<void> | undefined;
  return {
    write(line) {
      if (output.write(`${line}\n`)) return undefined;
      return (drained ??= new Promise<void>((resolve) => output.once("drain", resolve)).finally(
        () => (drained = undefined),
      ));
    },
  };
}
