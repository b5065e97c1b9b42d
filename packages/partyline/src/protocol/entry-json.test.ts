import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromBase64 } from "./base64.ts";
import { entryData, entryFields, messageLine } from "./entry-json.ts";
import { encodeText, type Entry } from "./message.ts";

const text = fc
  .array(fc.constantFrom("a", "\r", "\n", "\0", '"', "\\", "\u2028", "\uFEFF", "é", "😀", "\u007f"), {
    maxLength: 10,
  })
  .map((parts) => parts.join(""));

const json = fc
  .tuple(fc.jsonValue(), fc.constantFrom("", " ", "\n", "\r\n", "\t"))
  .map(([value, space]) => `${space}${JSON.stringify(value, undefined, space)}${space}`);

const data = fc.oneof(
  text.map((one) => ({ kind: "text" as const, data: encodeText(one) })),
  json.map((one) => ({ kind: "json" as const, data: encodeText(one) })),
  fc.uint8Array({ maxLength: 20 }).map((one) => ({ kind: "binary" as const, data: one })),
  fc.constant({ kind: "deleted" as const, data: new Uint8Array(0) }),
);

const entry: fc.Arbitrary<Entry> = fc
  .tuple(
    data,
    fc.maxSafeNat(),
    fc.maxSafeNat(),
    fc.option(fc.constantFrom("a", "Zx_-9"), { nil: undefined }),
    fc.option(text, { nil: undefined }),
  )
  .map(([content, offset, time, id, key]) => ({ ...content, offset, time, id, key }));

/** The entry as a reader of the JSON makes it, given the bytes that JSON data stood for. */
function readBack(fields: string): Record<string, unknown> {
  const read = JSON.parse(`{${fields}}`) as Record<string, unknown>;
  switch (read["kind"]) {
    case "text":
      return { ...read, data: encodeText(String(read["data"])) };
    case "binary":
      return { ...read, data: fromBase64(String(read["data"])) };
    case "json":
      return { ...read, data: encodeText(JSON.stringify(read["data"])) };
    default:
      return { ...read, data: new Uint8Array(0) };
  }
}

/** What is left of JSON where white space and the spelling of numbers and strings do not count. */
const compact = (data: Uint8Array): Uint8Array =>
  encodeText(JSON.stringify(JSON.parse(Buffer.from(data).toString())));

describe("an entry in JSON", () => {
  it("is read back as it was stored [MSG-9]", () => {
    fc.assert(
      fc.property(entry, (stored) => {
        const { offset, time, kind } = stored;
        const data = kind === "json" ? compact(stored.data) : stored.data;
        expect(readBack(entryFields(stored))).toMatchObject({ offset, time, kind, data });
      }),
    );
  });

  it("has an id and a key exactly where the publisher gave them [MSG-8]", () => {
    fc.assert(
      fc.property(entry, (stored) => {
        const read = readBack(entryFields(stored));
        expect("id" in read ? read["id"] : undefined).toBe(stored.id);
        expect("key" in read ? read["key"] : undefined).toBe(stored.key);
        expect(["id" in read, "key" in read]).toEqual([stored.id !== undefined, stored.key !== undefined]);
      }),
    );
  });

  it("of a deletion has its key and no data [MSG-10]", () => {
    const deleted: Entry = {
      offset: 3,
      time: 4,
      kind: "deleted",
      id: undefined,
      key: "k",
      data: new Uint8Array(0),
    };
    expect(entryFields(deleted)).toBe('"offset":3,"time":4,"kind":"deleted","key":"k"');
  });

  it("is one line, whatever line ends the message holds [WIRE-1]", () => {
    fc.assert(
      fc.property(entry, (stored) => {
        expect(messageLine(7, stored)).not.toMatch(/[\r\n]/);
      }),
    );
  });

  it("is a frame that names the channel by its number [WIRE-1]", () => {
    fc.assert(
      fc.property(entry, (stored) => {
        const { t, c, ...fields } = JSON.parse(messageLine(7, stored)) as Record<string, unknown>;
        expect([t, c]).toEqual(["m", 7]);
        expect(fields).toEqual(JSON.parse(`{${entryFields(stored)}}`));
      }),
    );
  });

  it("keeps its JSON as it came but for line ends between tokens [MSG-9]", () => {
    const pretty = '{\r\n  "b": 1.0,\n  "a": 12345678901234567890, "s": "\\r\\n"\r}';
    const stored: Entry = {
      offset: 1,
      time: 1,
      kind: "json",
      id: undefined,
      key: undefined,
      data: encodeText(pretty),
    };
    expect(entryData(stored)).toBe('{    "b": 1.0,   "a": 12345678901234567890, "s": "\\r\\n" }');
  });
});
