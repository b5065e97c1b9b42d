/** The pieces that compressed event streams are made of. */
import { createGunzip, gunzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { acceptsGzip } from "../src/http/accepts-gzip.ts";
import { createCompression } from "../src/transports/compression.ts";
import { deflate } from "../src/transports/deflate.ts";
import { gzipPiece } from "../src/transports/gzip-piece.ts";
import { GzipStream } from "../src/transports/gzip-stream.ts";

const { stream: formats } = createCompression({}, { count: () => undefined });

/** Something that is written to a stream: for it alone, or shared, compressed or not. */
const written = fc.record({
  as: fc.constantFrom("own", "stored", "packed"),
  content: fc.oneof(
    fc.string({ unit: "grapheme" }),
    // Above what one block holds that is not compressed, and above the window.
    fc.integer({ min: 0, max: 140_000 }).map((length) => "some message ".repeat(12_000).slice(0, length)),
  ),
});

function write(gzip: GzipStream, { as, content }: { as: string; content: string }): Buffer {
  if (as === "own") return gzip.own(content);
  const bytes = Buffer.from(content);
  return gzip.shared(gzipPiece(bytes, as === "packed" ? deflate(bytes) : undefined));
}

describe("a gzip stream made of pieces", () => {
  it("is what was written, with an end that is valid, whatever its pieces are [SSE-18]", () => {
    fc.assert(
      fc.property(fc.array(written, { maxLength: 12 }), (all) => {
        const gzip = new GzipStream(formats);
        const bytes = Buffer.concat([...all.map((one) => write(gzip, one)), gzip.end()]);
        expect(gunzipSync(bytes).toString()).toBe(all.map(({ content }) => content).join(""));
      }),
      { numRuns: 60 },
    );
  });

  it("can be joined late: a piece is the same bytes in every stream [SSE-17]", () => {
    const piece = gzipPiece(Buffer.from("again and again ".repeat(100)), undefined);
    const packed = gzipPiece(
      Buffer.from("again and again ".repeat(100)),
      deflate(Buffer.from("again and again ".repeat(100))),
    );
    const early = new GzipStream(formats);
    const late = new GzipStream(formats);
    const before = Buffer.concat([early.own("opened"), early.shared(packed), early.own(":\n\n")]);
    const head = late.own("opened later");
    const both = [early.shared(packed), late.shared(packed)];
    expect(both[0]).toBe(both[1]);
    expect(early.shared(piece)).toBe(late.shared(piece));
    const text = "again and again ".repeat(100);
    expect(gunzipSync(Buffer.concat([before, packed.bytes, piece.bytes, early.end()])).toString()).toBe(
      `opened${text}:\n\n${text}${text}`,
    );
    expect(gunzipSync(Buffer.concat([head, packed.bytes, piece.bytes, late.end()])).toString()).toBe(
      `opened later${text}${text}`,
    );
  });

  it("gives all that was written as soon as its bytes are there, however it is cut [SSE-16]", async () => {
    const gzip = new GzipStream(formats);
    const texts = ["event: continuous\n\n", ":\n\n", "data: goal\n\n".repeat(120), ":\n\n"];
    const unzip = createGunzip();
    let told = "";
    unzip.on("data", (piece: Buffer) => (told += piece.toString()));
    for (const [index, text] of texts.entries()) {
      const bytes = write(gzip, { as: index === 2 ? "packed" : "own", content: text });
      for (const byte of bytes)
        await new Promise<void>((resolve) => unzip.write(Buffer.of(byte), () => resolve()));
      expect(told).toBe(texts.slice(0, index + 1).join(""));
    }
    const ended = new Promise((resolve) => unzip.on("end", resolve));
    unzip.end(gzip.end());
    await ended;
  });
});

it("takes gzip for accepted where the header says so", () => {
  const accepted = [
    "gzip",
    "deflate, gzip;q=0.5, br",
    "x-gzip",
    "*",
    "GZIP",
    "br;q=1, *;q=0.1",
    "gzip;q=0.001",
  ];
  const refused = [undefined, "", "identity", "br", "gzip;q=0", "gzip; q=0.000, *", "*;q=0", "gzipped"];
  expect(accepted.filter((header) => !acceptsGzip(header))).toEqual([]);
  expect(refused.filter(acceptsGzip)).toEqual([]);
});
