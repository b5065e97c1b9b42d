import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { memberText } from "./json-span.ts";

const space = fc
  .array(fc.constantFrom(" ", "\t", "\n", "\r"), { maxLength: 2 })
  .map((parts) => parts.join(""));

const plain = fc.array(fc.constantFrom("data", "d", "{", "}", "[", "]", ",", ":", "é", "😀", " "), {
  maxLength: 5,
});
const escapes = fc.constantFrom(
  '\\"',
  "\\\\",
  "\\n",
  "\\u0064",
  "\\u005c",
  "\\ud83d\\ude00",
  "\\/",
  '\\\\\\"',
);
const string = fc
  .tuple(plain, fc.array(escapes, { maxLength: 3 }), plain)
  .map(([before, escaped, after]) => `"${before.join("")}${escaped.join("")}${after.join("")}"`);

/** The key under test in several spellings, and others beside it. */
const key = fc.oneof(
  fc.constantFrom(
    '"data"',
    '"\\u0064ata"',
    '"dat\\u0061"',
    '"Data"',
    '""',
    '"data "',
    '"\\"data\\""',
    '"__proto__"',
  ),
  string,
);

const leaf = fc.oneof(
  string,
  fc.constantFrom("null", "true", "false", "0", "-0", "1.0", "1e400", "12345678901234567890", "-1.5E-7"),
);

interface Member {
  readonly key: string;
  readonly value: string;
}

/** JSON texts of objects, with white space wherever it is legal, and the members that were put in. */
const object = (value: fc.Arbitrary<string>): fc.Arbitrary<{ text: string; members: Member[] }> =>
  fc
    .array(fc.record({ key, value, before: space, behind: space, after: space, last: space }), {
      maxLength: 5,
    })
    .chain((members) =>
      fc.tuple(space, space, space).map(([front, inside, back]) => ({
        text: `${front}{${inside}${members
          .map((one) => `${one.before}${one.key}${one.behind}:${one.after}${one.value}${one.last}`)
          .join(",")}}${back}`,
        members,
      })),
    );

const { value } = fc.letrec<{ value: string; list: string; map: string }>((tie) => ({
  value: fc.oneof({ depthSize: "small", withCrossShrink: true }, leaf, tie("list"), tie("map")),
  list: fc
    .array(fc.tuple(space, tie("value"), space), { maxLength: 3 })
    .map((items) => `[${items.map((parts) => parts.join("")).join(",")}]`),
  map: object(tie("value")).map(({ text }) => text.trim()),
}));

describe("the source text of a member", () => {
  it("is what stood behind its last key, to the character [WIRE-8]", () => {
    fc.assert(
      fc.property(object(value), ({ text, members }) => {
        const last = members.findLast((member) => JSON.parse(member.key) === "data");
        expect(memberText(text, "data")).toBe(last?.value);
      }),
      { numRuns: 2000 },
    );
  });

  it("parses to what the object has under that name [WIRE-8]", () => {
    fc.assert(
      fc.property(object(value), ({ text }) => {
        const parsed = JSON.parse(text) as Record<string, unknown>;
        for (const name of ["data", "Data", "", '"data"']) {
          const found = memberText(text, name);
          expect(found !== undefined).toBe(Object.hasOwn(parsed, name));
          expect(found === undefined ? undefined : JSON.parse(found)).toEqual(parsed[name]);
        }
      }),
    );
  });

  it("is not taken from an object within", () => {
    expect(memberText('{"a":{"data":1},"b":[{"data":2}],"c":"\\"data\\":3"}', "data")).toBeUndefined();
  });

  it("keeps what JSON.parse would change [WIRE-8]", () => {
    const kept = '{ "b": 1.0, "a": 12345678901234567890, "b": 2 }';
    expect(memberText(`{"t":"publish","data":${kept} }`, "data")).toBe(kept);
  });
});
