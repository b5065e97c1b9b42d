import { describe, expect, it } from "vitest";
import type { Item } from "../core/ports.ts";
import { encodeText } from "../protocol/message.ts";
import { eventsFormat, historyFormat, linesFormat } from "./formats.ts";
import { Pieces, shareable } from "./pieces.ts";

const LARGE = "ü".repeat(9_000);

describe("an answer in pieces", () => {
  it("is text where nothing in it is large", () => {
    const pieces = new Pieces();
    for (const text of ["a", "ü", "c"]) pieces.add(shareable(text));
    expect(pieces.body()).toBe("aüc");
  });

  it("holds what is large as it is, between what is its own, in order", () => {
    const pieces = new Pieces();
    const shared = shareable(LARGE);
    for (const piece of ["a", "b", shared, shared, "c"]) pieces.add(piece);
    const body = pieces.body() as readonly Uint8Array[];
    expect(body.map(String)).toEqual(["ab", LARGE, LARGE, "c"]);
    expect(body[1]).toBe(shared);
    expect(body[2]).toBe(shared);
    expect(pieces.length).toBe(3 + 2 * Buffer.byteLength(LARGE));
  });
});

describe("what goes to several peers", () => {
  const messages = (text: string): Item => ({
    is: "messages",
    epoch: "e",
    after: 0,
    entries: [{ offset: 1, time: 1, kind: "text", id: undefined, key: undefined, data: encodeText(text) }],
  });
  const channel = { name: "a", number: 1 };

  it.each([
    ["a page of history", (item: Item) => historyFormat.encode(channel, item)],
    ["lines of a poll", (item: Item) => linesFormat.encode(channel, item)],
    [
      "a block of /events",
      (item: Item) => {
        const block = eventsFormat.encode(channel, item)[0]?.block;
        return typeof block === "object" && "plain" in block ? block.plain : block;
      },
    ],
  ])("as %s is made bytes once where it is large, and stays text where it is small", (_name, encode) => {
    expect(encode(messages(LARGE))).toBeInstanceOf(Buffer);
    expect(encode(messages("small"))).toBeTypeOf("string");
  });
});
