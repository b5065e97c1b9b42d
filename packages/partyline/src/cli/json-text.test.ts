import { expect, it } from "vitest";
import { JsonText, jsonTextCodec } from "./json-text.ts";

it("the data of a json message keeps its source text", () => {
  const data = '{"n":12345678901234567890,"b":1.0,"b":1e400,"a":"\\u0041"}';
  const [frame] = jsonTextCodec.parse(`{"t":"m","c":1,"offset":1,"time":1,"kind":"json","data":${data}}`);
  expect(frame).toMatchObject({ offset: 1, data: new JsonText(data) });
  expect(jsonTextCodec.stringify(new JsonText(data))).toBe(data);
});

it("frames of other kinds are as JSON.parse has them, also several in one text", () => {
  const text = '{"t":"m","c":1,"offset":1,"time":1,"kind":"text","data":"1.0"}\n{"t":"pong","n":1}\n';
  expect(jsonTextCodec.parse(text)).toMatchObject([{ data: "1.0" }, { t: "pong" }]);
});

it("JSON over several lines becomes one line, because a frame is one line", () => {
  expect(new JsonText('{\r\n"a": 1\n}').text).toBe('{  "a": 1 }');
});
