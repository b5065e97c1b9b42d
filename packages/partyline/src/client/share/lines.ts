import type { ServerFrame } from "../../protocol/frames.ts";
import { type Codec, jsonCodec } from "../codec.ts";

const lines = new WeakMap<object, string>();

/** Reads frames as every client does, and remembers the line of each frame. */
export const parseLines: Codec["parse"] = (text) => {
  const frames = jsonCodec.parse(text);
  // At the same places as where the codec parts them.
  for (const [index, line] of text.split(/\n(?={)/).entries()) lines.set(frames[index] as object, line);
  return frames;
};

/** Gives the line of a frame as it came. */
export function lineOf(frame: ServerFrame): string {
  return lines.get(frame) ?? JSON.stringify(frame);
}
