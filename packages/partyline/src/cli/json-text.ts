import { jsonCodec, type Codec } from "../client/codec.ts";
import type { ServerFrame } from "../protocol/frames.ts";
import { memberText } from "../protocol/json-span.ts";

/**
 * JSON as its source text. `JSON.parse` and `JSON.stringify` would change numbers beyond 2^53, the order of keys and
 * repeated keys, so messages pass through the command line as text.
 */
export class JsonText {
  readonly text: string;

  /** @param text JSON that was checked; line ends, which can only be white space, become spaces. */
  constructor(text: string) {
    this.text = text.replace(/[\r\n]/g, " ");
  }
}

/** A codec whose messages of kind `json` have a {@link JsonText} as their data. */
export const jsonTextCodec: Codec = {
  parse: (lines) =>
    lines
      .split("\n")
      .filter((line) => line !== "")
      .map(parseLine),
  stringify: (data) => (data instanceof JsonText ? data.text : jsonCodec.stringify(data)),
};

function parseLine(line: string): ServerFrame {
  const frame = JSON.parse(line) as ServerFrame;
  if (frame.t !== "m" || frame.kind !== "json") return frame;
  return { ...frame, data: new JsonText(memberText(line, "data") ?? "null") };
}
