import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PartylineError } from "./errors.ts";
import {
  type DeclaredKind,
  declaredKind,
  decideKind,
  decodeText,
  encodeMessage,
  encodeText,
  parseJson,
} from "./message.ts";

/** What this answers, or the code of the error that refuses it. */
function outcome(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    return error instanceof PartylineError ? error.code : error;
  }
}

function remedyOf(read: () => unknown): string | undefined {
  try {
    read();
  } catch (error) {
    if (error instanceof PartylineError) return error.remedy;
  }
  return undefined;
}

const NOT_UTF8 = Uint8Array.of(0x7b, 0xff, 0x7d);
const HALF_SURROGATE = Uint8Array.of(0xed, 0xa0, 0x80);

describe("a content type", () => {
  it.each<[string | null | undefined, DeclaredKind]>([
    [undefined, "auto"],
    [null, "auto"],
    ["", "auto"],
    ["text/plain", "auto"],
    ["text/plain; charset=utf-8", "auto"],
    ["Text/Plain;charset=UTF-8", "auto"],
    ["application/json", "json"],
    ["application/json ; charset=utf-8", "json"],
    ["APPLICATION/JSON", "json"],
    ["application/octet-stream", "binary"],
  ])("of %j declares %s [MSG-1]", (type, declared) => {
    expect(declaredKind(type)).toBe(declared);
  });

  it.each([
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/html",
    "application/jsonp",
    "application/x-ndjson",
    "json",
    "*/*",
  ])("of %s is refused [MSG-2]", (type) => {
    expect(outcome(() => declaredKind(type))).toBe("wrong-type");
  });

  it("of a form is refused with the header to add, for curl sends it unasked [MSG-2]", () => {
    const refusal = remedyOf(() => declaredKind("application/x-www-form-urlencoded"));
    expect(refusal).toContain("-H 'content-type: application/json'");
  });
});

describe("the kind of a message", () => {
  const cases: [what: string, data: Uint8Array, auto: string, json: string, schema: string][] = [
    ["an object", encodeText('{"a":1}'), "json", "json", "json"],
    ["an array", encodeText("[1,2]"), "json", "json", "json"],
    ["an object in white space", encodeText(" \t\r\n{} \n"), "json", "json", "json"],
    ["a number", encodeText("42"), "text", "json", "json"],
    ["a word of JSON", encodeText("true"), "text", "json", "json"],
    ["a string of JSON", encodeText('"hi"'), "text", "json", "json"],
    ["text", encodeText("hi"), "text", "bad-json", "bad-json"],
    ["nothing", encodeText(""), "text", "bad-json", "bad-json"],
    ["white space", encodeText(" \n"), "text", "bad-json", "bad-json"],
    ["text that begins like an object", encodeText("{hi}"), "text", "bad-json", "bad-json"],
    ["an object with something behind it", encodeText("{} {}"), "text", "bad-json", "bad-json"],
    ["an object behind a byte order mark", encodeText("\uFEFF{}"), "text", "bad-json", "bad-json"],
    ["an object behind a space that is none to JSON", encodeText("\u00A0{}"), "text", "bad-json", "bad-json"],
    ["an object of bytes that are not UTF-8", NOT_UTF8, "binary", "bad-json", "bad-json"],
    ["half a surrogate pair", HALF_SURROGATE, "binary", "bad-json", "bad-json"],
    ["an overlong slash", Uint8Array.of(0xc0, 0xaf), "binary", "bad-json", "bad-json"],
  ];

  it.each(cases)("of %s follows the table [MSG-1, MSG-3]", (_what, data, auto, json, schema) => {
    expect(outcome(() => decideKind(data, "auto", false))).toBe(auto);
    expect(outcome(() => decideKind(data, "json", false))).toBe(json);
    expect(outcome(() => decideKind(data, "auto", true))).toBe(schema);
    expect(outcome(() => decideKind(data, "binary", false))).toBe("binary");
  });

  it("is decided for any bytes without a declaration [MSG-1]", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (data) => {
        const text = Buffer.from(data).toString("utf8");
        const isText = Buffer.compare(Buffer.from(text), data) === 0;
        expect(decideKind(data, "auto", false)).toBeOneOf(isText ? ["text", "json"] : ["binary"]);
      }),
    );
  });

  it("is json for every object and array that JSON can write [MSG-1]", () => {
    fc.assert(
      fc.property(fc.oneof(fc.array(fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue())), (value) => {
        const data = encodeText(JSON.stringify(value, undefined, 1));
        expect(decideKind(data, "auto", false)).toBe("json");
        expect(parseJson(data)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it("is decided for JSON as deep as a message can be", () => {
    const deep = encodeText("[".repeat(32_768) + "]".repeat(32_768));
    expect(decideKind(deep, "auto", false)).toBe("json");
  });
});

describe("the text of a message", () => {
  it("is what its bytes were made of, a byte order mark included", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.boolean(), (text, marked) => {
        const whole = marked ? `\uFEFF${text}` : text;
        expect(decodeText(encodeText(whole))).toBe(whole);
      }),
    );
  });

  it("is undefined for bytes that are no text", () => {
    expect([NOT_UTF8, HALF_SURROGATE].map(decodeText)).toEqual([undefined, undefined]);
  });

  it("has the same bytes on its way to a broker, where it shares a buffer with others", () => {
    const texts = fc.array(fc.string({ unit: "binary", size: "large", maxLength: 1_100 }), { maxLength: 40 });
    fc.assert(
      fc.property(texts, (all) => {
        const encoded = all.map(encodeMessage);
        expect(encoded.map((bytes) => [...bytes])).toEqual(all.map((text) => [...encodeText(text)]));
      }),
    );
  });
});
