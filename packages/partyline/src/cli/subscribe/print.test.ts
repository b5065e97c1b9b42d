import { describe, expect, it } from "vitest";
import type { Message } from "../../client/index.ts";
import { JsonText } from "../json-text.ts";
import { gapText, messageJson, messageText } from "./print.ts";

function message(changes: Partial<Message>): Message {
  return {
    channel: "chat",
    offset: 7,
    position: "0123456789ab:7",
    time: 5,
    kind: "json",
    data: { text: "hi" },
    ...changes,
  };
}

describe("a printed message", () => {
  it("is one line, whatever it holds", () => {
    const lines = [
      message({}),
      message({ kind: "text", data: "plain" }),
      message({ kind: "text", data: "two\nlines\u001b[2J" }),
      message({ kind: "binary", data: new Uint8Array([0, 255]) }),
      message({ kind: "deleted", key: "ACME\n", data: undefined }),
    ].map(messageText);
    expect(lines).toEqual([
      '{"text":"hi"}',
      "plain",
      '"two\\nlines\\u001b[2J"',
      "AP8=",
      '(deleted "ACME\\n")',
    ]);
  });

  it("escapes what a terminal may obey", () => {
    const controls = "\u007f\u009b2J\u2028";
    expect(messageText(message({ data: new JsonText(`{"a":"${controls}"}`) }))).toBe(
      '{"a":"\\u007f\\u009b2J\\u2028"}',
    );
    expect(messageText(message({ kind: "text", data: controls }))).toBe('"\\u007f\\u009b2J\\u2028"');
  });

  it("has the JSON that was published, however deep it is", () => {
    const deep = `${"[".repeat(8000)}${"]".repeat(8000)}`;
    for (const text of ['{"n":12345678901234567890,"b":1.0}', deep]) {
      const line = message({ data: new JsonText(text) });
      expect(messageText(line)).toBe(text);
      expect(messageJson(line)).toContain(`"data":${text}}`);
    }
  });

  it("is an object with its position for programs", () => {
    const lines = [
      message({ id: "one", key: "k" }),
      message({ kind: "binary", data: new Uint8Array([1]) }),
      message({ kind: "deleted", key: "k", data: undefined }),
    ].map((item) => JSON.parse(messageJson(item)) as object);
    const common = { channel: "chat", position: "0123456789ab:7", time: 5 };
    expect(lines).toEqual([
      { ...common, kind: "json", id: "one", key: "k", data: { text: "hi" } },
      { ...common, kind: "binary", data: "AQ==" },
      { ...common, kind: "deleted", key: "k" },
    ]);
  });
});

describe("a printed gap", () => {
  it("says how many are missing where that is known", () => {
    const gap = { channel: "chat", from: "a:1", to: "a:9", reason: "retention" } as const;
    expect(gapText({ ...gap, lost: 8 })).toBe(
      "gap: 8 messages of chat missed (retention); going on behind a:9",
    );
    expect(gapText(gap)).toBe("gap: messages of chat missed (retention); going on behind a:9");
  });
});
