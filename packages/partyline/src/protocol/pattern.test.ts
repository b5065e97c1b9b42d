import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parsePattern } from "./pattern.ts";

const segment: fc.Arbitrary<string> = fc.constantFrom("a", "b", "chat", "é", "$x", "..a");
const name = fc.array(segment, { minLength: 1, maxLength: 4 });

describe("a pattern", () => {
  it.each([
    ["chat", ["chat"], ["chats", "chat/a", "Chat"]],
    ["chat/*", ["chat/a", "chat/*"], ["chat", "chat/a/b", "chats/a"]],
    ["*/a", ["b/a"], ["a", "b/a/a"]],
    ["**", ["a", "a/b", "a/b/c"], []],
    ["a/**", ["a/b", "a/b/c"], ["a", "b/a"]],
    ["a/*/**", ["a/b/c", "a/b/c/d"], ["a/b"]],
    ["a/:b/c", ["a/x/c"], ["a/c", "a/x/y/c"]],
  ])("%s matches what it says [NAME-8]", (pattern, matching, others) => {
    const parsed = parsePattern(pattern);
    expect(matching.filter((text) => parsed.match(text) === undefined)).toEqual([]);
    expect(others.filter((text) => parsed.match(text) !== undefined)).toEqual([]);
  });

  it("gives its parameters by name, and none where it has none", () => {
    expect(parsePattern("a/:room/*/:id").match("a/general/x/7")).toEqual({ room: "general", id: "7" });
    expect(parsePattern("a/*").match("a/b")).toEqual({});
  });

  it("of literal segments matches its own text alone [NAME-8]", () => {
    fc.assert(
      fc.property(name, name, (one, other) => {
        const pattern = parsePattern(one.join("/"));
        expect(pattern.match(other.join("/")) !== undefined).toBe(one.join("/") === other.join("/"));
      }),
    );
  });

  it("with `*` in place of a segment still matches the name [NAME-8]", () => {
    fc.assert(
      fc.property(name, fc.nat(), (segments, at) => {
        const wild = segments.with(at % segments.length, "*");
        expect(parsePattern(wild.join("/")).match(segments.join("/"))).toEqual({});
      }),
    );
  });

  it("matches a name whichever way it was itself spelled [NAME-4, NAME-8]", () => {
    expect(parsePattern("cafe\u0301/*").match("caf\u00e9/a")).toEqual({});
  });

  it.each(["", "/", "a/", "/a", "a//b", "a/:", "**/a", "a/**/b", "a*", "*a/b", "a/***", ":a/:a"])(
    "is refused where it is %j [NAME-8]",
    (text) => {
      expect(() => parsePattern(text)).toThrow(TypeError);
    },
  );

  it.each(["chat-:room", "a/..", ".", "{a}", "a\nb"])(
    "is refused where no channel name could match it: %j",
    (text) => {
      expect(() => parsePattern(text)).toThrow(TypeError);
    },
  );
});
