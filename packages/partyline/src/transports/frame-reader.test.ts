import { constants, deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FrameReader, type FrameRules } from "./frame-reader.ts";

const RULES: FrameRules = { messageBytes: 400, fragments: 4, inflates: true };
const FIN = 0x80;
const RSV1 = 0x40;
const OPCODE = { more: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** A frame as a client sends it. */
function frame(first: number, payload: Uint8Array | string = "", mask = Buffer.of(7, 0, 255, 128)): Buffer {
  const data = Buffer.from(payload);
  const head =
    data.length < 126
      ? Buffer.of(first, 0x80 | data.length)
      : Buffer.of(first, 0xfe, data.length >> 8, data.length & 255);
  return Buffer.concat([head, mask, data.map((byte, index) => byte ^ (mask[index & 3] ?? 0))]);
}

function pack(text: Uint8Array | string): Buffer {
  return deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
}

/**
 * What a reader tells of these pieces, one after the other.
 *
 * @param pauses Whether it pauses after all that it tells.
 * @param drops Whether it drops messages from the first one on that it has told.
 */
function read(pieces: readonly Buffer[], { rules = RULES, pauses = false, drops = false } = {}): string[] {
  const told: string[] = [];
  const tell = (what: string): void => {
    told.push(what);
    if (drops) reader.dropMessages();
    if (pauses) reader.pause();
  };
  const reader = new FrameReader(rules, {
    message: (data, isBinary) =>
      tell(isBinary ? `binary ${data.toString("hex")}` : `text ${data.toString()}`),
    ping: (data) => tell(`ping ${data.toString("hex")}`),
    pong: () => tell("pong"),
    left: (code) => tell(`left ${code}`),
    more: () => undefined,
    broken: ({ close }) => tell(`broken ${close}`),
  });
  for (const piece of pieces) {
    // Read in place, so each reader gets bytes of its own.
    reader.read(Buffer.from(piece));
    while (reader.paused) reader.resume();
  }
  return told;
}

/** Cut in two at every place, into single bytes, and not at all. */
function cuts(bytes: Buffer): Buffer[][] {
  const halves = Array.from(bytes, (_, at) => [bytes.subarray(0, at), bytes.subarray(at)]);
  return [[bytes], ...halves, Array.from(bytes, (byte) => Buffer.of(byte))];
}

function expectAlways(bytes: Buffer, told: string[], rules = RULES): void {
  for (const pieces of cuts(bytes))
    for (const pauses of [false, true]) expect(read(pieces, { rules, pauses })).toEqual(told);
}

describe("a reader of frames", () => {
  it("tells the same wherever what came was cut, in its order, with breaks and without", () => {
    const long = "ü".repeat(100);
    const bytes = Buffer.concat([
      frame(FIN | OPCODE.text, "whole"),
      frame(OPCODE.text, Buffer.of(0xc3)),
      frame(FIN | OPCODE.ping, "between"),
      frame(OPCODE.more),
      frame(FIN | OPCODE.more, Buffer.of(0xbc)),
      frame(FIN | OPCODE.binary, Buffer.of(0xff)),
      frame(FIN | RSV1 | OPCODE.text, pack(long)),
      frame(RSV1 | OPCODE.text, pack(long).subarray(0, 3)),
      frame(FIN | OPCODE.more, pack(long).subarray(3)),
      frame(FIN | OPCODE.text, long),
      frame(FIN | OPCODE.pong, "unasked"),
      frame(FIN | OPCODE.text),
      frame(FIN | OPCODE.close, Buffer.of(0x03, 0xe8, 0x61)),
      frame(FIN | OPCODE.text, "nobody reads this"),
    ]);
    expectAlways(bytes, [
      "text whole",
      `ping ${Buffer.from("between").toString("hex")}`,
      "text ü",
      "binary ff",
      `text ${long}`,
      `text ${long}`,
      `text ${long}`,
      "pong",
      "text ",
      "left 1000",
    ]);
  });

  it("tells all messages of any stream once and in order, however it is cut", () => {
    const bytes = fc.uint8Array({ maxLength: 300 });
    const message = fc.record({
      data: fc.oneof(fc.string({ unit: "grapheme", maxLength: 80 }), bytes),
      packed: fc.boolean(),
      /** Where it is cut into fragments. */
      fragments: fc.array(fc.nat(300), { maxLength: 3 }),
      /** A ping behind each. */
      pings: fc.boolean(),
      mask: fc.uint8Array({ minLength: 4, maxLength: 4 }),
    });
    const stream = fc.record({
      messages: fc.array(message, { maxLength: 12 }),
      cuts: fc.array(fc.nat(2_000), { maxLength: 20 }),
      pauses: fc.boolean(),
    });
    fc.assert(
      fc.property(stream, ({ messages, cuts: places, pauses }) => {
        const sent: Buffer[] = [];
        const expected: string[] = [];
        for (const { data, packed, fragments, pings, mask } of messages) {
          const text = typeof data === "string";
          const payload = packed ? pack(data) : Buffer.from(data);
          const pieces = split(payload, fragments);
          for (const [index, piece] of pieces.entries()) {
            const opcode = index > 0 ? OPCODE.more : text ? OPCODE.text : OPCODE.binary;
            const last = index === pieces.length - 1 ? FIN : 0;
            sent.push(frame(last | (packed && index === 0 ? RSV1 : 0) | opcode, piece, Buffer.from(mask)));
            if (!last && pings) expected.push("ping ");
            if (!last && pings) sent.push(frame(FIN | OPCODE.ping));
          }
          expected.push(text ? `text ${data}` : `binary ${Buffer.from(data).toString("hex")}`);
        }
        expect(read(split(Buffer.concat(sent), places), { pauses })).toEqual(expected);
      }),
    );
  });

  it("takes a compressed message whose last block says that it is the last, and an empty one", () => {
    const last = Buffer.concat([deflateRawSync("last"), Buffer.of(0)]);
    const bytes = Buffer.concat([frame(0xc1, last), frame(0xc1, Buffer.of(0)), frame(0xc2, pack("next"))]);
    expectAlways(bytes, ["text last", "text ", `binary ${Buffer.from("next").toString("hex")}`]);
  });

  const plain = { ...RULES, inflates: false };
  it.each<[string, Buffer, number, FrameRules?]>([
    ["a frame without mask", Buffer.of(0x81, 1, 0x61), 1002],
    ["RSV1 where nothing is compressed", frame(FIN | RSV1 | OPCODE.text, "x"), 1002, plain],
    ["RSV2", frame(0xa1, "x"), 1002],
    ["RSV3", frame(0x91, "x"), 1002],
    ["RSV1 in a later frame", Buffer.concat([frame(0x01, "x"), frame(0xc0, "y")]), 1002],
    ["a compressed ping", frame(0xc9, "x"), 1002],
    ["opcode 3", frame(0x83), 1002],
    ["opcode 7", frame(0x87), 1002],
    ["opcode 11", frame(0x8b), 1002],
    ["opcode 15", frame(0x8f), 1002],
    ["a continuation of nothing", frame(0x80, "x"), 1002],
    ["a message within another", Buffer.concat([frame(0x01, "x"), frame(0x81, "y")]), 1002],
    ["a ping in fragments", frame(0x09, "x"), 1002],
    ["a ping of 126 bytes", frame(0x89, "x".repeat(126)), 1002],
    ["a close of one byte", frame(0x88, "x"), 1002],
    ...[0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535].map((code): [string, Buffer, number] => [
      `close code ${code}`,
      frame(0x88, Buffer.of(code >> 8, code & 255)),
      1002,
    ]),
    ["a reason that is not UTF-8", frame(0x88, Buffer.of(0x03, 0xe8, 0xff)), 1007],
    ["text that is not UTF-8", frame(0x81, Buffer.of(0xed, 0xa0, 0x80)), 1007],
    ["text that ends within a character", Buffer.concat([frame(0x01, Buffer.of(0xc3)), frame(0x80)]), 1007],
    ["compressed text that is not UTF-8", frame(0xc1, pack(Buffer.of(0xff))), 1007],
    ["what no deflate made", frame(0xc1, Buffer.of(0xff, 0xff, 0xff)), 1007],
    ["a message above the limit", frame(0x82, Buffer.alloc(401)), 1009],
    ["the header of one, with a length of 64 bits", Buffer.of(0x82, 0xff, 0, 0, 1, 0, 0, 0, 0, 0), 1009],
    [
      "fragments above it",
      Buffer.concat([frame(0x02, Buffer.alloc(200)), frame(0x80, Buffer.alloc(201))]),
      1009,
    ],
    ["a small frame that becomes too large", frame(0xc2, pack(Buffer.alloc(401))), 1009],
    ["too many fragments", Buffer.concat([frame(1), frame(0), frame(0), frame(0), frame(0)]), 1008],
  ])("breaks off at %s", (_what, bytes, code, rules = RULES) => {
    const all = Buffer.concat([bytes, frame(FIN | OPCODE.text, "nobody reads this")]);
    expectAlways(all, [`broken ${code}`], rules);
  });

  it("neither inflates nor tells messages once they are dropped, and hears the peer's close", () => {
    const unreadable = Buffer.of(0xff, 0xff, 0xff);
    const bytes = Buffer.concat([
      frame(FIN | OPCODE.text, "the last"),
      frame(FIN | RSV1 | OPCODE.text, unreadable),
      frame(RSV1 | OPCODE.text, unreadable),
      frame(FIN | OPCODE.ping, "x"),
      frame(FIN | OPCODE.more, unreadable),
      frame(FIN | OPCODE.text, "dropped"),
      frame(FIN | OPCODE.close),
    ]);
    expect(read([bytes], { drops: true })).toEqual(["text the last", "ping 78", "left undefined"]);
  });

  it("takes what is just allowed", () => {
    const most = Buffer.alloc(400, "x");
    const text = `text ${most.toString()}`;
    expect(read([frame(0x81, most), frame(0xc1, pack(most))])).toEqual([text, text]);
    const unbounded = { ...RULES, messageBytes: Infinity };
    expect(read([frame(0x81, most), frame(0xc1, pack(most))], { rules: unbounded })).toEqual([text, text]);
    expect(read([frame(1), frame(0), frame(0), frame(FIN)])).toEqual(["text "]);
    const pings = frame(0x89, Buffer.alloc(125));
    expect(read([pings])).toEqual([`ping ${"00".repeat(125)}`]);
    for (const code of [1000, 1003, 1007, 1014, 3000, 4999])
      expect(read([frame(0x88, Buffer.of(code >> 8, code & 255))])).toEqual([`left ${code}`]);
    expect(read([frame(0x88)])).toEqual(["left undefined"]);
  });
});

function split(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = places.map((place) => Math.min(place, bytes.length)).toSorted((a, b) => a - b);
  return [0, ...sorted].map((start, index) => bytes.subarray(start, sorted[index] ?? bytes.length));
}
