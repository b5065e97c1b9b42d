import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromBase64 } from "./base64.ts";
import { encodeText, type Entry, type EntryKind } from "./message.ts";
import { formatPosition } from "./position.ts";
import { eventsMessageData, rawSseMessage } from "./raw-sse.ts";
import { createSseParser, type ReadSseEvent } from "./sse.ts";

const EPOCH = "0mhlk2v9q7xa";

const entryOf = (kind: EntryKind, data: string | Uint8Array, key?: string): Entry => ({
  offset: 8,
  time: 1,
  kind,
  id: undefined,
  key,
  data: typeof data === "string" ? encodeText(data) : data,
});

function read(block: string): ReadSseEvent[] {
  const events: ReadSseEvent[] = [];
  createSseParser({ event: (event) => events.push(event) }).push(block);
  return events;
}

/** The one event of a block; its position is checked here. */
function readOne(entry: Entry): ReadSseEvent {
  const events = read(rawSseMessage(EPOCH, entry));
  expect(events).toHaveLength(1);
  const [event] = events;
  if (!event) throw new Error("no event");
  expect(event.id).toBe(formatPosition({ epoch: EPOCH, offset: entry.offset }));
  return event;
}

const text = fc
  .array(fc.constantFrom("a", "\n", "\n\n", " ", ":", "data: x", "id: 7", "\0", "\uFEFF", "é", "😀"), {
    maxLength: 10,
  })
  .map((parts) => parts.join(""));

describe("a message on a channel's event stream", () => {
  it("of text is an unnamed event that is the text [SSE-3]", () => {
    fc.assert(
      fc.property(text, (sent) => {
        expect(readOne(entryOf("text", sent))).toMatchObject({ event: "message", data: sent });
      }),
    );
  });

  it("of text that holds a CR is base64 of the text [SSE-4]", () => {
    fc.assert(
      fc.property(text, fc.constantFrom("\r", "\r\n", "\r\r"), text, (before, end, after) => {
        const sent = `${before}${end}${after}`;
        const { event, data } = readOne(entryOf("text", sent));
        expect([event, fromBase64(data)]).toEqual(["base64", encodeText(sent)]);
      }),
    );
  });

  it("of bytes is base64, text or not [SSE-4]", () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), text.map(encodeText)), (sent) => {
        const { event, data } = readOne(entryOf("binary", sent));
        expect([event, fromBase64(data)]).toEqual(["base64", sent]);
      }),
    );
  });

  it("of JSON is an unnamed event that is the JSON, line ends made LF [SSE-3, SSE-5]", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom("", " ", "\n", "\r\n", "\r"), (value, end) => {
        const sent = `${end}${JSON.stringify(value, undefined, " ").replaceAll("\n", end)}${end}`;
        expect(readOne(entryOf("json", sent))).toMatchObject({
          event: "message",
          data: sent.replace(/\r\n?/g, "\n"),
        });
      }),
    );
  });

  it.each<EntryKind>(["text", "binary"])("that is empty and %s is an event with empty data", (kind) => {
    expect(readOne(entryOf(kind, "")).data).toBe("");
  });

  it("that is a deletion is an event named so whose data is the key [SSE-6]", () => {
    fc.assert(
      fc.property(text, (key) => {
        expect(readOne(entryOf("deleted", "", key))).toMatchObject({ event: "deleted", data: key });
      }),
    );
    expect(readOne(entryOf("deleted", "", "a\r\nb\rc"))).toMatchObject({ data: "a\nb\nc" });
  });

  it("has no CR in its block, whatever it holds [SSE-10]", () => {
    const kinds = fc.constantFrom<EntryKind>("text", "binary", "deleted");
    fc.assert(
      fc.property(kinds, fc.array(fc.constantFrom("a", "\r", "\n")), (kind, parts) => {
        expect(rawSseMessage(EPOCH, entryOf(kind, parts.join(""), parts.join("")))).not.toContain("\r");
      }),
    );
  });
});

describe("a message on `/events`", () => {
  const dataOf = (channel: string, entry: Entry): unknown => {
    const events = read(eventsMessageData(channel, entry));
    expect(events).toHaveLength(1);
    return JSON.parse(events[0]?.data ?? "");
  };

  it.each<[EntryKind, string, unknown]>([
    ["json", '{\r\n"a": 1.5}', { a: 1.5 }],
    ["text", "a\r\nb", "a\r\nb"],
    ["text", "", ""],
    ["binary", "\0\u007f", "AH8="],
  ])("of kind %s names its channel, offset and kind [EVENTS-2, MSG-9]", (kind, data, expected) => {
    expect(dataOf('a "b"', entryOf(kind, data))).toEqual({
      channel: 'a "b"',
      offset: 8,
      kind,
      data: expected,
    });
  });

  it("that is a deletion has its key and no data [EVENTS-2, MSG-10]", () => {
    expect(dataOf("a", entryOf("deleted", "", "k\n"))).toEqual({
      channel: "a",
      offset: 8,
      kind: "deleted",
      key: "k\n",
    });
  });
});
