import type { ServerFrame } from "../protocol/frames.ts";
import { jsonOf } from "../protocol/payload.ts";

/** Conversion between JSON text and values; the command line replaces it to keep the source text of messages. */
export interface Codec {
  /**
   * Reads the frames of one or more whole lines.
   *
   * @throws SyntaxError if a line is not JSON
   */
  readonly parse: (lines: string) => ServerFrame[];
  /**
   * JSON text of a message's data.
   *
   * @throws an error if the value has no JSON form that holds its content
   */
  readonly stringify: (data: unknown) => string;
}

export const jsonCodec: Codec = {
  // Many short lines are parsed together, which is much cheaper than one by one. A line that comes alone is parsed as it
  // is: copied first, it would take half as long again.
  parse: (lines) =>
    (lines.includes("\n")
      ? JSON.parse(`[${lines.replaceAll("\n{", ",{")}]`)
      : [JSON.parse(lines)]) as ServerFrame[],
  stringify: jsonOf,
};
