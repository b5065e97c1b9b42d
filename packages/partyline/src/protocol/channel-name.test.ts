import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import {
  channelPath,
  isReservedName,
  MAX_NAME_BYTES,
  normalForm,
  parseChannelName,
  parseChannelPath,
} from "./channel-name.ts";
import { PartylineError } from "./errors.ts";

const character = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.constantFrom(
      "a",
      "Z",
      "0",
      "-",
      ".",
      "/",
      "%",
      "2",
      "F",
      "$",
      "?",
      "#",
      "&",
      "+",
      " ",
      "\\",
    ),
  },
  { weight: 2, arbitrary: fc.constantFrom("é", "e\u0301", "Å", "\u212B", "한", "ᄒ", "ᅡ", "😀", "€") },
  {
    weight: 1,
    arbitrary: fc.constantFrom("*", ":", "{", "}", "\0", "\n", "\u007f", "\u0085", "\uD800", "\uDC00"),
  },
);

const text = fc.array(character, { maxLength: 40 }).map((characters) => characters.join(""));

const badName: unknown = expect.objectContaining({ code: "bad-name", status: 400 });

/** The name, or the error that refuses it. */
function outcome(read: () => string): unknown {
  try {
    return read();
  } catch (error) {
    return error;
  }
}

const codeOf = (read: () => string): unknown => {
  const name = outcome(read);
  return name instanceof PartylineError ? name.code : name;
};

describe("a channel name", () => {
  it.each([
    "a",
    "chat/general",
    "$nodes",
    "a.b",
    "...",
    "a/..b",
    "ein Raum",
    "größe",
    "房间/😀",
    "50%",
    "a%2Fb",
    "tilde~",
    "a\\b",
  ])("may be %j", (name) => {
    expect(parseChannelName(name)).toBe(name);
  });

  it.each(["", "/", "/a", "a/", "a//b", ".", "..", "a/./b", "a/..", "../a"])(
    "is refused with an empty or dot segment: %j [NAME-1]",
    (name) => {
      expect(outcome(() => parseChannelName(name))).toEqual(badName);
    },
  );

  it.each(["*", "a/*", "{a}", "a}", "a:b", "\0", "a\nb", "a\rb", "a\tb", "\u007f", "\u0085", "\u009f"])(
    "is refused with a character that has a meaning elsewhere: %j [NAME-2]",
    (name) => {
      expect(outcome(() => parseChannelName(name))).toEqual(badName);
    },
  );

  it.each(["\uD800", "a\uDC00b", "\uDC00\uD800"])(
    "is refused with half a surrogate pair: %j [NAME-2]",
    (name) => {
      expect(outcome(() => parseChannelName(name))).toEqual(badName);
    },
  );

  it("may have 255 bytes of UTF-8, and no more [NAME-3]", () => {
    expect(MAX_NAME_BYTES).toBe(255);
    for (const longest of ["a".repeat(255), "€".repeat(85), `${"é".repeat(127)}a`, `${"😀".repeat(63)}abc`]) {
      expect(parseChannelName(longest)).toBe(longest);
      expect(outcome(() => parseChannelName(`${longest}b`))).toEqual(badName);
    }
  });

  it("is measured in its normal form [NAME-3, NAME-4]", () => {
    expect(parseChannelName("e\u0301".repeat(127))).toBe("é".repeat(127));
  });

  it("is the same in every spelling that Unicode takes for equal [NAME-4]", () => {
    expect(parseChannelName("cafe\u0301")).toBe(parseChannelName("caf\u00e9"));
    expect(parseChannelName("\u212B")).toBe(parseChannelName("A\u030A"));
    fc.assert(
      fc.property(text, (name) => {
        const read = (form: string): unknown => codeOf(() => parseChannelName(name.normalize(form)));
        expect(read("NFD")).toBe(read("NFC"));
      }),
    );
  });

  it("is its own normal form", () => {
    fc.assert(
      fc.property(text, (name) => {
        const once = codeOf(() => parseChannelName(name));
        const twice = codeOf(() => parseChannelName(String(once)));
        expect(twice).toBe(once);
      }),
    );
  });

  it("is reserved where it begins with `$`", () => {
    expect(["$", "$nodes/1", "a$", "a/$b"].map(isReservedName)).toEqual([true, true, false, false]);
  });
});

describe("a channel name in a URL", () => {
  it("is decoded to what was encoded, whatever proxies and URL parsers do [NAME-5]", () => {
    fc.assert(
      fc.property(text, (given) => {
        const name = outcome(() => parseChannelName(given));
        fc.pre(typeof name === "string");
        const { pathname } = new URL(`http://localhost/channels/${channelPath(String(name))}`);
        expect(parseChannelPath(pathname.slice("/channels/".length))).toBe(name);
      }),
      { numRuns: 500 },
    );
  });

  it("is decoded exactly once [NAME-5]", () => {
    expect(parseChannelPath("a%2520b")).toBe("a%20b");
    expect(parseChannelPath("a%252Fb")).toBe("a%2Fb");
    expect(parseChannelPath("a+b")).toBe("a+b");
  });

  it.each(["a%2Fb", "a%2fb", "%2F", "%2f/b"])("is refused with an encoded slash: %s [NAME-6]", (path) => {
    expect(outcome(() => parseChannelPath(path))).toEqual(badName);
  });

  it.each(["%", "a%2", "a%zz", "%ff", "%C3", "%ED%A0%80"])(
    "is refused with a malformed escape: %s [NAME-5]",
    (path) => {
      expect(outcome(() => parseChannelPath(path))).toEqual(badName);
    },
  );

  it.each(["%2e", "%2E%2e", "a/%2e%2e/b", "", "a%00b", "a%3Ab", "%2A"])(
    "is held to the same rules behind its escapes: %j [NAME-1, NAME-2]",
    (path) => {
      expect(outcome(() => parseChannelPath(path))).toEqual(badName);
    },
  );
});

describe("a text that is too long for a name", () => {
  it("is refused without being normalized, which takes quadratic time for combining marks [NAME-3]", () => {
    const normalize = vi.spyOn(String.prototype, "normalize");
    const text = `a${"\u0301\u0316".repeat(300)}`;
    expect(() => parseChannelName(text)).toThrow(expect.objectContaining({ code: "bad-name" }) as Error);
    expect(normalForm(text)).toBeUndefined();
    expect(normalize).not.toHaveBeenCalled();
  });

  it("is longer than every decomposed spelling of a name [NAME-4]", () => {
    const longer: string[] = [];
    for (let code = 0x80; code < 0x11_0000; code++) {
      const name = String.fromCodePoint(code).normalize("NFC");
      if (2 * Buffer.byteLength(name) < name.normalize("NFD").length) longer.push(name);
    }
    expect(longer).toEqual([]);
    const longest = "\u1d5e".repeat(MAX_NAME_BYTES / 3);
    expect(parseChannelName(longest.normalize("NFD"))).toBe(longest.normalize("NFC"));
  });
});
