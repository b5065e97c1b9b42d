import { describe, expect, it } from "vitest";
import { clientFrame } from "./client-frame.ts";
import { type Counter, FrameCounter, MarkCounter, Sampler } from "./counters.ts";
import { message } from "./message.ts";

/** A frame as a server sends it. */
function frame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const size = length < 126 ? [length] : length < 65_536 ? [126, length >> 8, length & 0xff] : [127];
  const long = Buffer.alloc(length < 65_536 ? 0 : 8);
  if (long.length > 0) long.writeBigUInt64BE(BigInt(length));
  return Buffer.concat([Buffer.of(0x80 | opcode, ...size), long, payload]);
}

const texts = [message(1, 16), message(2, 300), message(3, 128)];
const FRAMES = Buffer.concat([
  ...texts.map((text) => frame(1, Buffer.from(text))),
  frame(9, Buffer.alloc(0)),
  frame(2, Buffer.alloc(0)),
  frame(10, Buffer.from("pong")),
]);
const BLOCKS = Buffer.from(texts.map((text) => `id: 0mhlk2v9q7xa:8\ndata: ${text}\n\n`).join(""));

/** Counts in a stream that is cut at two places, out of one buffer that is used again. */
function countCut(counter: Counter, stream: Buffer, first: number, second: number): number {
  const shared = Buffer.alloc(stream.length);
  let count = 0;
  for (const piece of [stream.subarray(0, first), stream.subarray(first, second), stream.subarray(second)]) {
    shared.fill(0xff);
    piece.copy(shared);
    count += counter.read(shared.subarray(0, piece.length));
  }
  return count;
}

describe.each([
  { name: "frames", stream: FRAMES, messages: 4, make: (sampler: Sampler) => new FrameCounter(sampler) },
  { name: "marks", stream: BLOCKS, messages: 3, make: (sampler: Sampler) => new MarkCounter(sampler) },
])("the counter of $name", ({ stream, messages, make }) => {
  it("counts each message once, wherever the stream is cut", () => {
    const wrong: string[] = [];
    for (let first = 0; first <= stream.length; first++)
      for (const second of [first, first + 1, Math.min(first + 7, stream.length)]) {
        const count = countCut(make(new Sampler(() => 0)), stream, first, second);
        if (count !== messages) wrong.push(`${first}, ${second}: ${count}`);
      }
    expect(wrong).toEqual([]);
  });

  it("tells how long messages took that are whole in a chunk", () => {
    const sampler = new Sampler(() => 10);
    make(sampler).read(stream);
    expect(sampler.latencies.slice(0, 3)).toEqual([9, 8, 7]);
  });
});

it("a payload of more than 64 KiB is passed over in one", () => {
  const counter = new FrameCounter(new Sampler(() => 0));
  const stream = Buffer.concat([frame(1, Buffer.alloc(70_000)), frame(1, Buffer.from("#"))]);
  expect(countCut(counter, stream, 5, 69_999)).toBe(2);
});

it("looks at one of so many messages, of all streams together", () => {
  const sampler = new Sampler(() => 10);
  sampler.restart(3);
  const counters = [new MarkCounter(sampler), new MarkCounter(sampler)];
  for (const counter of counters) counter.read(BLOCKS);
  expect(sampler.latencies).toEqual([7, 7]);
});

it("takes the next message where the chosen one is cut", () => {
  const sampler = new Sampler(() => 10);
  const counter = new MarkCounter(sampler);
  counter.read(Buffer.from(message(1, 16).slice(0, 9)));
  expect(sampler.latencies).toEqual([]);
  counter.read(Buffer.from(message(2, 16)));
  expect(sampler.latencies).toEqual([8]);
});

it("a client's text is masked with zeros, and its length told in 7 or 16 bits", () => {
  expect(clientFrame("hi")).toEqual(Buffer.of(0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69));
  expect(clientFrame("x".repeat(300)).subarray(0, 8)).toEqual(Buffer.of(0x81, 0xfe, 1, 44, 0, 0, 0, 0));
});
