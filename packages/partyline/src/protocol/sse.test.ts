import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { createSseParser, formatSse, type ReadSseEvent, SSE_COMMENT, type SseEvent } from "./sse.ts";

/** What a parser reports of these pieces, in order: events, and the numbers of `retry`. */
function read(pieces: readonly string[], maxLength?: number): (ReadSseEvent | number)[] {
  const reported: (ReadSseEvent | number)[] = [];
  const parser = createSseParser(
    { event: (event) => reported.push(event), retry: (milliseconds) => reported.push(milliseconds) },
    maxLength,
  );
  for (const piece of pieces) parser.push(piece);
  return reported;
}

const dataOf = (...pieces: string[]): string[] =>
  read(pieces).map((event) => (typeof event === "number" ? "retry" : event.data));

/** Any text that the format can carry in `data`. */
const data = fc
  .array(fc.constantFrom("a", " ", ":", "\n", "\uFEFF", "é", "😀", "\0", "data", "id: 7"), { maxLength: 12 })
  .map((parts) => parts.join(""));

const oneLine = fc
  .array(fc.constantFrom("a", "0", " ", ":", ",", "-", "é"), { maxLength: 8 })
  .map((parts) => parts.join(""));

const events: fc.Arbitrary<SseEvent[]> = fc.array(
  fc.record({ event: oneLine, id: oneLine, retry: fc.nat(), data }, { requiredKeys: ["data"] }),
  { maxLength: 6 },
);

/** Text in which everything that the grammar knows comes up often. */
const stream = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom("\n", "\r", "\r\n", "\n\n", "\r\n\r\n", "\r\r") },
      {
        weight: 4,
        arbitrary: fc.constantFrom(
          "data",
          "data:",
          "data: x",
          "id",
          "id:",
          "id: 1",
          "id: \0",
          "event: e",
          "retry: 5",
        ),
      },
      {
        weight: 1,
        arbitrary: fc.constantFrom(":", ": note", " data: y", "retry: 5x", "\uFEFF", "other: z", "😀"),
      },
    ),
    { maxLength: 30 },
  )
  .map((parts) => parts.join(""));

/** The standard's own words (WHATWG HTML, 9.2.6), step by step and with the whole stream at hand. */
function byTheStandard(text: string): (ReadSseEvent | number)[] {
  const reported: (ReadSseEvent | number)[] = [];
  let dataBuffer = "";
  let eventType = "";
  let lastEventId = "";
  const lines = text.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/);
  lines.pop(); // what follows the last line end is no line
  for (const line of lines) {
    if (line === "") {
      const ended = { event: eventType || "message", id: lastEventId, data: dataBuffer.replace(/\n$/, "") };
      if (dataBuffer !== "") reported.push(ended);
      dataBuffer = "";
      eventType = "";
      continue;
    }
    const [, name = "", value = ""] = /^([^:]*)(?:: ?([^]*))?$/.exec(line) ?? [];
    if (name === "event") eventType = value;
    if (name === "data") dataBuffer += `${value}\n`;
    if (name === "id" && !value.includes("\0")) lastEventId = value;
    if (name === "retry" && /^[0-9]+$/.test(value)) reported.push(Number(value));
  }
  return reported;
}

const asRead = (written: readonly SseEvent[]): (ReadSseEvent | number)[] => {
  let id = "";
  return written.flatMap((event) => {
    id = event.id ?? id;
    const one = { event: event.event || "message", id, data: event.data };
    return event.retry === undefined ? [one] : [event.retry, one];
  });
};

describe("the SSE formatter", () => {
  it("writes blocks from which the parser reads the same events [SSE-11]", () => {
    fc.assert(
      fc.property(events, (written) => {
        expect(read([written.map(formatSse).join(SSE_COMMENT)])).toEqual(asRead(written));
      }),
    );
  });

  it("ends lines with LF alone [SSE-10]", () => {
    fc.assert(
      fc.property(events, (written) => {
        expect(written.map(formatSse).join("")).not.toContain("\r");
      }),
    );
  });

  it("writes `retry` in front of the data of the same block [SSE-2]", () => {
    expect(formatSse({ event: "continuous", id: "a:7", retry: 2000, data: "{}" })).toBe(
      "event: continuous\nid: a:7\nretry: 2000\ndata: {}\n\n",
    );
  });

  it("writes an empty id, which clears the reader's", () => {
    expect(read([formatSse({ id: "1", data: "a" }), formatSse({ id: "", data: "b" })])).toEqual([
      { event: "message", id: "1", data: "a" },
      { event: "message", id: "", data: "b" },
    ]);
  });

  it.each([
    ["a CR in the data", { data: "a\rb" }],
    ["LF in an id", { id: "1\ndata: forged", data: "" }],
    ["CR in an id", { id: "1\rdata: forged", data: "" }],
    ["NUL in an id", { id: "1\0", data: "" }],
    ["LF in an event name", { event: "x\n\ndata: forged", data: "" }],
    ["CR in an event name", { event: "x\r", data: "" }],
  ])("refuses %s, which would change what follows", (_what, event) => {
    expect(() => formatSse(event)).toThrow(TypeError);
  });
});

describe("the SSE parser", () => {
  it("reads what the standard says [SSE-11]", () => {
    fc.assert(
      fc.property(stream, (text) => {
        expect(read([text])).toEqual(byTheStandard(text));
      }),
      { numRuns: 2000 },
    );
  });

  it("gives the same events at every point where the stream is cut in two [SSE-11]", () => {
    fc.assert(
      fc.property(stream, (text) => {
        const whole = read([text]);
        for (let at = 0; at <= text.length; at++)
          expect(read([text.slice(0, at), text.slice(at)])).toEqual(whole);
      }),
    );
  });

  it("gives the same events when each character comes alone, with empty pieces between [SSE-11]", () => {
    fc.assert(
      fc.property(stream, (text) => {
        const pieces = Array.from({ length: text.length }, (_, at) => ["", text.charAt(at)]).flat();
        expect(read(pieces)).toEqual(read([text]));
      }),
    );
  });

  it("ends a line at LF, CR and CRLF alike [SSE-11]", () => {
    expect(dataOf("data: a\ndata: b\n\ndata: c\rdata: d\r\rdata: e\r\ndata: f\r\n\r\n")).toEqual([
      "a\nb",
      "c\nd",
      "e\nf",
    ]);
  });

  it("takes a CRLF cut in two for one line end [SSE-11]", () => {
    expect(dataOf("data: a\r", "\ndata: b\r", "\n\r", "\n")).toEqual(["a\nb"]);
  });

  it("drops one byte order mark, at the start only [SSE-11]", () => {
    expect(dataOf("\uFEFF", "data: a\n\n\uFEFFdata: b\n\ndata: \uFEFFc\n\n")).toEqual(["a", "\uFEFFc"]);
  });

  it("drops one space behind the colon, no more", () => {
    expect(dataOf("data:a\n\ndata: b\n\ndata:  c\n\n")).toEqual(["a", "b", " c"]);
  });

  it("reports an event with empty data, and none for a block without data", () => {
    expect(read(["data\n\nevent: x\nid: 1\nretry: 9\n\n: note\n\ndata:\n\n"])).toEqual([
      { event: "message", id: "", data: "" },
      9,
      { event: "message", id: "1", data: "" },
    ]);
  });

  it("ignores an id that holds NUL, and keeps the one before [SSE-11]", () => {
    expect(read(["id: 1\nid: 2\0\ndata: a\n\n"])).toEqual([{ event: "message", id: "1", data: "a" }]);
  });

  it("keeps the id of a block that has no data for the events that follow", () => {
    expect(read(["id: 5\n\ndata: a\n\n"])).toEqual([{ event: "message", id: "5", data: "a" }]);
  });

  it("reads `retry` only where it is digits alone", () => {
    expect(read(["retry: 15\nretry: 1e3\nretry: -1\nretry:\nretry: ١\n"])).toEqual([15]);
  });

  it("does not report an event that the end leaves unfinished [SSE-11]", () => {
    expect(dataOf("data: a\n\ndata: b\n")).toEqual(["a"]);
  });

  it("throws where an event exceeds its bound, however the stream is cut [SSE-12]", () => {
    const long = `data: ${"x".repeat(60)}\ndata: ${"y".repeat(60)}\n\n`;
    expect(() => read([long], 100)).toThrow(RangeError);
    for (let at = 0; at <= long.length; at++)
      expect(() => read([long.slice(0, at), long.slice(at)], 100)).toThrow(RangeError);
  });

  it("throws at a line that never ends [SSE-12]", () => {
    expect(() =>
      read(
        Array.from({ length: 100 }, () => "xx"),
        100,
      ),
    ).toThrow(RangeError);
  });

  it("takes any number of events that are each within the bound [SSE-12]", () => {
    expect(read(["data: 123\n\n".repeat(50)], 20)).toHaveLength(50);
  });

  it("looks at each character of a long line once, however many pieces it comes in", () => {
    const exec = vi.spyOn(RegExp.prototype, "exec");
    const pieces = ["data: ", ...Array.from({ length: 1000 }, () => "x".repeat(10)), "\n\n"];
    const length = pieces.join("").length;
    expect(dataOf(...pieces)).toEqual(["x".repeat(10_000)]);
    const looked = exec.mock.calls.reduce((sum, [text]) => sum + text.length, 0);
    expect(looked).toBeGreaterThanOrEqual(length);
    expect(looked).toBeLessThan(3 * length);
  });
});
