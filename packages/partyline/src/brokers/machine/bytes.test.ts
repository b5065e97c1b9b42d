import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Frames, Writer } from "./bytes.ts";

const frame = fc.record({
  number: fc.double(),
  text: fc.string({ unit: "grapheme", maxLength: 6_000 }),
  bytes: fc.uint8Array({ maxLength: 9_000 }),
  key: fc.option(fc.string(), { nil: undefined }),
  list: fc.array(fc.nat()),
});

describe("frames", () => {
  it("come out as they went in, however they are cut on the way", () => {
    fc.assert(
      fc.property(
        fc.array(frame),
        fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1 }),
        (sent, cuts) => {
          const writer = new Writer();
          const taken: Buffer[] = [];
          for (const [index, { number, text, bytes, key, list }] of sent.entries()) {
            writer
              .begin(index % 256)
              .number(number)
              .text(text)
              .bytes(bytes);
            writer.optional(key, (value) => writer.text(value)).list(list, (value) => writer.number(value));
            writer.end();
            if (index % 3 === 0) taken.push(writer.take());
          }
          const stream = Buffer.concat([...taken, writer.take()]);
          const frames = new Frames();
          const got = [];
          for (let at = 0, turn = 0; at < stream.length; turn++) {
            const length = cuts[turn % cuts.length] ?? 1;
            frames.push(stream.subarray(at, at + length));
            at += length;
            for (let reader = frames.next(); reader; reader = frames.next()) {
              const from = reader;
              expect(from.byte()).toBe(got.length % 256);
              got.push({
                number: from.number(),
                text: from.text(),
                bytes: Uint8Array.from(from.bytes()),
                key: from.optional(() => from.text()),
                list: from.list(() => from.number()),
              });
            }
          }
          expect(got).toEqual(sent);
          expect(frames.size).toBe(0);
        },
      ),
    );
  });

  it("that end within a field are refused", () => {
    const writer = new Writer();
    writer.begin(1).bytes(new Uint8Array(10)).end();
    const stream = writer.take();
    stream.writeUInt32LE(stream.readUInt32LE() - 1);
    const frames = new Frames();
    frames.push(stream);
    const reader = frames.next();
    reader?.byte();
    expect(() => reader?.bytes()).toThrow(RangeError);
  });
});
