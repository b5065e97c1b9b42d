import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { messageLine } from "./entry-json.ts";
import type { ServerFrame } from "./frames.ts";
import { encodeText } from "./message.ts";
import { readServerFrame } from "./read-server-frame.ts";

const TYPES: Readonly<Record<ServerFrame["t"], true>> = {
  welcome: true,
  attached: true,
  m: true,
  gap: true,
  skip: true,
  mark: true,
  stale: true,
  detached: true,
  result: true,
  error: true,
  pong: true,
  drain: true,
};

describe("a frame from the server", () => {
  it.each(Object.keys(TYPES))("of type %s is read, unknown fields and all [WIRE-2]", (t) => {
    const frame = { t, n: 1, c: 2, later: { x: 1 } };
    expect(readServerFrame(JSON.stringify(frame))).toEqual(frame);
  });

  it.each(["presence", "M", "", "constructor", 7, null, undefined])("of type %j is ignored [WIRE-4]", (t) => {
    expect(readServerFrame(JSON.stringify({ t, n: 1 }))).toBeUndefined();
  });

  it("is read from the line of a message", () => {
    const entry = { offset: 8, time: 9, kind: "text", id: "i", key: "k", data: encodeText("hi\n") } as const;
    expect(readServerFrame(messageLine(3, entry))).toEqual({ ...entry, t: "m", c: 3, data: "hi\n" });
  });

  it.each(["", "hi", "7", "null", '"m"', "[]", '[{"t":"pong","n":1}]', '{"t":"pong"'])(
    "that is no JSON object breaks the stream: %j",
    (line) => {
      expect(() => readServerFrame(line)).toThrow(SyntaxError);
    },
  );

  it("is ignored or a broken stream where it is anything else", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (line) => {
        expect(outcome(line)).toBeOneOf([undefined, expect.any(SyntaxError)]);
      }),
    );
  });
});

function outcome(line: string): unknown {
  try {
    return readServerFrame(line);
  } catch (error) {
    return error;
  }
}
