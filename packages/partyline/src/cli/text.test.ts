import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { columnsOf, formatCount, formatDuration, formatPace, messages, oneLine, wrap } from "./text.ts";

describe("columnsOf", () => {
  it("takes the terminal's width, else COLUMNS, else 80, within reason", () => {
    expect(columnsOf({ columns: 62 }, { COLUMNS: "50" })).toBe(62);
    expect(columnsOf({}, { COLUMNS: "50" })).toBe(50);
    expect(columnsOf({}, {})).toBe(80);
    expect(columnsOf({}, { COLUMNS: "wide" })).toBe(80);
    expect(columnsOf({ columns: 3 }, {})).toBe(80);
    expect(columnsOf({ columns: 400 }, {})).toBe(100);
  });
});

describe("wrap", () => {
  it("breaks at spaces, and long words nowhere", () => {
    expect(wrap("one two three\nfour", 8)).toBe("one two\nthree\nfour");
    expect(wrap("a verylongword b", 6, "  ")).toBe("  a\n  verylongword\n  b");
  });

  it("keeps all words in order and no line too long", () => {
    const word = fc.stringMatching(/^[a-z]{1,10}$/);
    fc.assert(
      fc.property(fc.array(word, { minLength: 1 }), fc.integer({ min: 12, max: 80 }), (words, columns) => {
        const lines = wrap(words.join(" "), columns, "  ").split("\n");
        expect(lines.join(" ").split(/ +/).filter(Boolean)).toEqual(words);
        expect(lines.every((line) => line.length <= columns)).toBe(true);
      }),
    );
  });
});

describe("numbers", () => {
  it("are written for people", () => {
    expect([formatCount(1_234_567), messages(1), messages(1707)]).toEqual([
      "1,234,567",
      "1 message",
      "1,707 messages",
    ]);
    expect([0.44, 9.96, 10, 1234.5].map(formatPace)).toEqual(["0.4/s", "10.0/s", "10/s", "1,235/s"]);
    expect([0, 840, 12_300, 185_000, 3_725_000].map(formatDuration)).toEqual([
      "0.0 s",
      "0.8 s",
      "12 s",
      "3 min 05 s",
      "1 h 02 min",
    ]);
  });
});

describe("oneLine", () => {
  it("leaves plain text as it is", () => {
    expect(oneLine('Grüße, "Welt" 👋')).toBe('Grüße, "Welt" 👋');
  });

  it("lets no control character of others reach a terminal, and loses none", () => {
    expect(oneLine("a\nb\u001b[31m")).toBe('"a\\nb\\u001b[31m"');
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const line = oneLine(text);
        // oxlint-disable-next-line no-control-regex -- they are what must not be there
        expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
        expect(line === text ? text : JSON.parse(line)).toBe(text);
      }),
    );
  });
});
