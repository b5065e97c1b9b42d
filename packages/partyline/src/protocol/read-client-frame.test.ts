import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ClientFrame, PublishFrame } from "./frames.ts";
import { connectFrameBytes, DEFAULT_LIMITS } from "./limits.ts";
import { encodeText } from "./message.ts";
import { isPublishId, readClientFrame } from "./read-client-frame.ts";

const PUBLISH = {
  t: "publish",
  n: 3,
  channel: "chat/a",
  id: "Zx_-9",
  at: 1793000000000,
  data: { text: "hi" },
};

/** The frames of PROTOCOL.md, "From the client", as they are read. */
const FRAMES: readonly [line: string, frame: ClientFrame][] = [
  ['{"t":"hello","v":1}', { t: "hello", v: 1 }],
  ['{"t":"hello","v":1,"token":"x","wait":25}', { t: "hello", v: 1, token: "x", wait: 25 }],
  ['{"t":"hello","v":1,"quiet":4.8}', { t: "hello", v: 1, quiet: 4.8 }],
  ['{"t":"attach","n":1,"channel":"a"}', { t: "attach", n: 1, channel: "a" }],
  ['{"t":"attach","n":1,"channel":"a","since":"now"}', { t: "attach", n: 1, channel: "a", since: "now" }],
  ['{"t":"attach","n":1,"channel":"a","began":"e:4"}', { t: "attach", n: 1, channel: "a", began: "e:4" }],
  ['{"t":"attach","n":1,"channel":"a","maxRate":0.2}', { t: "attach", n: 1, channel: "a", maxRate: 0.2 }],
  ['{"t":"detach","n":1,"channel":"a"}', { t: "detach", n: 1, channel: "a" }],
  [
    '{"t":"delete","n":1,"channel":"a","id":"i","at":5,"key":"k"}',
    { t: "delete", n: 1, channel: "a", id: "i", at: 5, first: false, key: "k" },
  ],
  [
    '{"t":"delete","n":1,"channel":"a","id":"i","at":5,"key":"","first":true}',
    { t: "delete", n: 1, channel: "a", id: "i", at: 5, first: true, key: "" },
  ],
  ['{"t":"token","n":1,"token":"x"}', { t: "token", n: 1, token: "x" }],
  ['{"t":"ping","n":1}', { t: "ping", n: 1 }],
];

const published = (fields: object): PublishFrame => {
  const frame = readClientFrame(JSON.stringify({ ...PUBLISH, ...fields }));
  if (frame.t !== "publish") throw new Error(`refused: ${JSON.stringify(frame)}`);
  return frame;
};

const refused = (
  line: string,
): { n: number | undefined; code: string; channel: string | undefined } | undefined => {
  const frame = readClientFrame(line);
  return frame.t === "refused" ? { n: frame.n, code: frame.error.code, channel: frame.channel } : undefined;
};

describe("a frame from the client", () => {
  it.each(FRAMES)("%s is read [WIRE-1]", (line, frame) => {
    expect(readClientFrame(line)).toEqual(frame);
  });

  it.each(FRAMES)("%s is read the same with unknown fields in it [WIRE-2]", (line, frame) => {
    const fields = JSON.parse(line) as object;
    expect(readClientFrame(JSON.stringify({ x: [1], ...fields, priority: "high", __proto: {} }))).toEqual(
      frame,
    );
    expect(readClientFrame(`{"__proto__":{"v":"x","n":"x"},${line.slice(1)}`)).toEqual(frame);
  });

  it("is read or refused, whatever the line is, and never throws", () => {
    const anything = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.json(),
      fc
        .record(
          {
            t: fc.constantFrom(
              "hello",
              "attach",
              "detach",
              "publish",
              "delete",
              "token",
              "ping",
              "m",
              7,
              null,
            ),
            n: fc.anything(),
            channel: fc.anything(),
            id: fc.anything(),
            at: fc.anything(),
            kind: fc.anything(),
            data: fc.anything(),
          },
          { requiredKeys: ["t"] },
        )
        .map((fields) => {
          try {
            return JSON.stringify(fields);
          } catch {
            return "";
          }
        }),
    );
    fc.assert(
      fc.property(anything, (line) => {
        const frame = readClientFrame(line);
        const answer = frame.t === "refused" ? frame.error.code : frame.t;
        const type = frame.t === "refused" ? undefined : (JSON.parse(line) as { t: unknown }).t;
        expect(answer).toBeOneOf(["bad-frame", "bad-id", type]);
      }),
      { numRuns: 1000 },
    );
  });

  it("is refused where it is nested too deep to be quoted", () => {
    const deep = "[".repeat(200_000) + "]".repeat(200_000);
    expect(refused(`{"n":4,"t":${deep}}`)).toMatchObject({ n: 4, code: "bad-frame" });
  });

  it.each([
    ["no JSON", "hello"],
    ["nothing", ""],
    ["half an object", '{"t":"ping","n":1'],
    ["two objects", '{"t":"ping","n":1}{"t":"ping","n":2}'],
    ["an array", '[{"t":"ping","n":1}]'],
    ["null", "null"],
    ["a number", "7"],
  ])("is refused without a number where it is %s", (_what, line) => {
    expect(refused(line)).toEqual({ n: undefined, code: "bad-frame", channel: undefined });
  });

  it.each([
    ["an unknown type", { t: "subscribe" }],
    ["a server's type", { t: "welcome" }],
    ["the name of something every object has", { t: "constructor" }],
    ["no type", { t: undefined }],
    ["a type that is no string", { t: ["ping"] }],
    ["no channel", { t: "attach" }],
    ["a channel that is no string", { t: "attach", channel: 7 }],
    ["a since that is no string", { t: "attach", channel: "a", since: 7 }],
    ["a began that is no string", { t: "attach", channel: "a", began: 7 }],
    ["no token", { t: "token" }],
    ["no key to delete", { ...PUBLISH, t: "delete" }],
    ["a version that is no number", { t: "hello", v: "1" }],
    ["a wait of less than nothing", { t: "hello", v: 1, wait: -1 }],
    ["a silence that is no number", { t: "hello", v: 1, quiet: "5" }],
    ["an unknown kind", { ...PUBLISH, kind: "deleted" }],
    ["no data", { ...PUBLISH, data: undefined }],
    ["text data that is no string", { ...PUBLISH, kind: "text" }],
    ["binary data that is no base64", { ...PUBLISH, kind: "binary", data: "a" }],
    ["a time that is no number", { ...PUBLISH, at: "now" }],
    ["a key that is no string", { ...PUBLISH, key: 1 }],
    ["a `first` that is neither true nor false", { ...PUBLISH, first: 1 }],
  ])("with %s is refused by its number", (_what, fields) => {
    expect(refused(JSON.stringify({ ...fields, n: 9 }))).toMatchObject({ n: 9, code: "bad-frame" });
  });

  it.each(["7", null, 1.5, -1, 2 ** 53, [7]])("is refused with the number %j, which is none", (n) => {
    expect(refused(JSON.stringify({ t: "ping", n }))).toEqual({
      n: undefined,
      code: "bad-frame",
      channel: undefined,
    });
  });

  it("is refused with half a surrogate pair, which no bytes can carry on [NAME-2]", () => {
    expect(refused('{"t":"attach","n":1,"channel":"\\ud800"}')).toMatchObject({ code: "bad-frame" });
    expect(refused(JSON.stringify({ ...PUBLISH, kind: "text", data: "\udc00" }))).toMatchObject({
      code: "bad-frame",
    });
  });
});

describe("a publish frame", () => {
  it("gives the bytes of its JSON as they stood in the line [WIRE-8]", () => {
    const json = '{ "b":1.0, "a": 12345678901234567890,\t"é":"\\u00e9" }';
    const line = `{"t":"publish","n":3,"channel":"a","id":"i","at":5,"data":${json} , "key":"k"}`;
    expect(readClientFrame(line)).toEqual({
      t: "publish",
      n: 3,
      channel: "a",
      id: "i",
      at: 5,
      first: false,
      kind: "json",
      key: "k",
      data: encodeText(json),
    });
  });

  it("gives any value of JSON, with json as the kind where none is named [MSG-1, WIRE-8]", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (data) => {
        expect(published({ data })).toMatchObject({ kind: "json", data: encodeText(JSON.stringify(data)) });
      }),
    );
  });

  it("gives the bytes of its text and of its base64 [MSG-9]", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.uint8Array(), (text, bytes) => {
        expect(published({ kind: "text", data: text }).data).toEqual(encodeText(text));
        expect(published({ kind: "binary", data: Buffer.from(bytes).toString("base64") }).data).toEqual(
          bytes,
        );
      }),
    );
  });

  it("may be empty, of either kind", () => {
    expect(published({ kind: "text", data: "" }).data).toHaveLength(0);
    expect(published({ kind: "binary", data: "" }).data).toHaveLength(0);
  });

  it("marks the end of a hold only where it says so", () => {
    expect(published({ first: true }).first).toBe(true);
    expect(published({ first: false }).first).toBe(false);
    expect(published({}).first).toBe(false);
  });

  it.each(["", "a b", "ä", "a".repeat(65), "a\n", "a/b"])("is refused with the id %j [PUB-3]", (id) => {
    expect(isPublishId(id)).toBe(false);
    expect(refused(JSON.stringify({ ...PUBLISH, id }))).toMatchObject({ n: 3, code: "bad-id" });
  });

  it.each(["a", "-", "_", "A9z", "a".repeat(64)])("may have the id %j [PUB-3]", (id) => {
    expect(isPublishId(id)).toBe(true);
    expect(published({ id }).id).toBe(id);
  });

  it("names its channel where it is refused, so that what follows it there can be held", () => {
    expect(refused(JSON.stringify({ ...PUBLISH, id: "" }))).toMatchObject({ channel: "chat/a" });
    expect(refused(JSON.stringify({ ...PUBLISH, t: "delete" }))).toMatchObject({ channel: "chat/a" });
    expect(refused(JSON.stringify({ ...PUBLISH, channel: 7 }))).toMatchObject({ channel: undefined });
    expect(refused('{"t":"attach","n":1,"channel":"a","since":7}')).toMatchObject({ channel: undefined });
  });

  it("fits into the largest frame of `/connect`, however its largest message is escaped", () => {
    const escaped = (length: number): string => "\\u0061".repeat(length);
    const line = `{"t":"publish","n":9007199254740991,"channel":"${escaped(255)}","id":"${escaped(64)}","at":1793000000000.123,"kind":"text","key":"${escaped(255)}","first":true,"data":"${escaped(DEFAULT_LIMITS.messageBytes)}"}`;
    expect(readClientFrame(line).t).toBe("publish");
    expect(line.length).toBeLessThanOrEqual(connectFrameBytes(DEFAULT_LIMITS));
  });
});
