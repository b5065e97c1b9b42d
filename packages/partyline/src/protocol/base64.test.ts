import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromBase64, toBase64 } from "./base64.ts";

describe("base64", () => {
  it("gives back the bytes it was made of", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(fromBase64(toBase64(bytes))).toEqual(bytes);
      }),
    );
  });

  it("is what Node makes of the same bytes [MSG-9]", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString("base64"));
      }),
    );
  });

  it("gives back messages of megabytes", () => {
    const bytes = new Uint8Array(4 * 1024 * 1024).fill(0xa7);
    const read = fromBase64(toBase64(bytes));
    expect(read && Buffer.compare(read, bytes)).toBe(0);
  });

  it.each([
    ["a missing padding", "YQ"],
    ["too much padding", "YQ==="],
    ["padding alone", "===="],
    ["padding in the middle", "YQ==YQ=="],
    ["white space", "YW Jj"],
    ["white space that keeps the length", "YWJ\n"],
    ["the alphabet of URLs", "_-_-"],
    ["a character beyond Latin-1", "YWJ€"],
  ])("refuses %s", (_what, text) => {
    expect(fromBase64(text)).toBeUndefined();
  });

  it("refuses or reads any text, and never throws", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const canonical = Buffer.from(text, "base64").toString("base64") === text;
        expect(fromBase64(text) !== undefined || !canonical).toBe(true);
      }),
    );
  });
});
