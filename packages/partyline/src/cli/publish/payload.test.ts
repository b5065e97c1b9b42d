import { describe, expect, it } from "vitest";
import { JsonText } from "../json-text.ts";
import { readPayload } from "./payload.ts";

describe("what is published", () => {
  it.for([
    ['{"text":"hi"}', { data: new JsonText('{"text":"hi"}'), kind: "json" }],
    [" [1] ", { data: new JsonText(" [1] "), kind: "json" }],
    [
      '{"n":12345678901234567890, "b":1.0, "b":1e400}',
      { data: new JsonText('{"n":12345678901234567890, "b":1.0, "b":1e400}'), kind: "json" },
    ],
    ["hello", { data: "hello", kind: "text" }],
    ["42", { data: "42", kind: "text" }],
    ["{hello}", { data: "{hello}", kind: "text" }],
    ["[12:04] joined", { data: "[12:04] joined", kind: "text" }],
  ] as const)("is read from %j as a server would", ([text, payload]) => {
    expect(readPayload(text, {})).toEqual(payload);
  });

  it("is text, or JSON, where that is said", () => {
    expect(readPayload('{"a":1}', { text: true })).toEqual({ data: '{"a":1}', kind: "text" });
    expect(readPayload("42", { json: true })).toEqual({ data: new JsonText("42"), kind: "json" });
    expect(() => readPayload("hello", { json: true })).toThrow(expect.objectContaining({ exitCode: 1 }));
  });
});
