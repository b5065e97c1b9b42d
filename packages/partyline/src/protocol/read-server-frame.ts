import type { ServerFrame } from "./frames.ts";

const TYPES: ReadonlySet<unknown> = new Set<ServerFrame["t"]>([
  "welcome",
  "attached",
  "m",
  "gap",
  "skip",
  "mark",
  "stale",
  "detached",
  "result",
  "error",
  "pong",
  "drain",
]);

/**
 * Reads one line from a server. A client trusts its server's fields; a type that it doesn't know is `undefined`,
 * so that a later minor version of the server may add some.
 *
 * @throws SyntaxError where the line is not a JSON object: then the stream itself is broken.
 */
export function readServerFrame(line: string): ServerFrame | undefined {
  const frame: unknown = JSON.parse(line);
  if (typeof frame !== "object" || frame === null || Array.isArray(frame))
    throw new SyntaxError("A frame is a JSON object.");
  return TYPES.has((frame as { t?: unknown }).t) ? (frame as ServerFrame) : undefined;
}
