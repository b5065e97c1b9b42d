import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { bytesOf, jsonOf } from "./payload.ts";

const inRealm = (code: string): unknown => runInNewContext(code);

describe("the bytes of a value", () => {
  it.each([
    ["an ArrayBuffer", new Uint8Array([104, 105]).buffer, [104, 105]],
    ["a DataView", new DataView(new Uint8Array([1, 104, 105, 2]).buffer, 1, 2), [104, 105]],
    ["a Buffer in a pool", Buffer.from("hi"), [104, 105]],
    ["a Float32Array", new Float32Array([1]), [0, 0, 128, 63]],
    ["a BigUint64Array", new BigUint64Array([5n]), [5, 0, 0, 0, 0, 0, 0, 0]],
    ["a SharedArrayBuffer", new SharedArrayBuffer(2), [0, 0]],
    ["an empty ArrayBuffer", new ArrayBuffer(0), []],
    ["a Uint8Array of another realm", inRealm("Uint8Array.of(104, 105)"), [104, 105]],
    ["an ArrayBuffer of another realm", inRealm("Uint8Array.of(104, 105).buffer"), [104, 105]],
    ["a DataView of another realm", inRealm("new DataView(Uint8Array.of(104).buffer)"), [104]],
  ])("are those that %s stands for [MSG-12]", (_name, data, bytes) => {
    expect([...(bytesOf(data) ?? ["none"])]).toEqual(bytes);
  });

  it.each([
    ["a string", "hi"],
    ["an array", [104]],
    ["null", null],
    ["undefined", undefined],
    ["an object", {}],
  ])("are none for %s", (_name, data) => expect(bytesOf(data)).toBeUndefined());

  it("are refused if the buffer was detached, or has the name of a buffer only", () => {
    const buffer = new ArrayBuffer(4);
    const view = new Uint8Array(buffer);
    structuredClone(buffer, { transfer: [buffer] });
    expect(() => bytesOf(buffer)).toThrow(TypeError);
    expect(() => bytesOf(view)).toThrow(TypeError);
    expect(() => bytesOf({ [Symbol.toStringTag]: "ArrayBuffer" })).toThrow(TypeError);
  });
});

describe("the JSON of a value", () => {
  class Point {
    readonly x = 1;
  }
  it.each([
    [null, "null"],
    ["", '""'],
    [-0, "0"],
    [false, "false"],
    [{}, "{}"],
    [[], "[]"],
    [Object.create(null), "{}"],
    [[undefined], "[null]"],
    [new Point(), '{"x":1}'],
    [new Date(0), '"1970-01-01T00:00:00.000Z"'],
    [new URL("http://a/"), '"http://a/"'],
    [{ toJSON: () => ({}) }, "{}"],
    [inRealm("({ a: [1] })"), '{"a":[1]}'],
    [inRealm("({})"), "{}"],
    [new Proxy({ a: 1 }, {}), '{"a":1}'],
  ])("is what it holds: %j", (data, json) => expect(jsonOf(data)).toBe(json));

  class Hidden {
    readonly #secret = 1;
    get secret(): number {
      return this.#secret;
    }
  }
  const cycle: unknown[] = [];
  cycle.push(cycle);
  it.each([
    ["undefined", undefined],
    ["a function", () => 1],
    ["a symbol", Symbol("s")],
    ["a BigInt", 5n],
    ["NaN", Number.NaN],
    ["Infinity", Number.POSITIVE_INFINITY],
    ["a date that is none", new Date(Number.NaN)],
    ["a cycle", cycle],
    ["a Map", new Map([[1, 2]])],
    ["a Map of another realm", inRealm("new Map([[1, 2]])")],
    ["a Set", new Set([1])],
    ["a WeakMap", new WeakMap()],
    ["a Blob", new Blob(["hi"])],
    ["a FormData", new FormData()],
    ["a URLSearchParams", new URLSearchParams("a=1")],
    ["Headers", new Headers({ a: "1" })],
    ["a ReadableStream", new ReadableStream()],
    ["a Promise", Promise.resolve(1)],
    ["a RegExp", /a/],
    ["an Error", new Error("lost")],
    ["an Error with a code", Object.assign(new Error("lost"), { code: "ENOENT" })],
    ["an Event", new Event("click")],
    ["an object whose fields are private", new Hidden()],
  ])("is refused where its content would be lost: %s [MSG-12]", (_name, data) => {
    expect(() => jsonOf(data)).toThrow(TypeError);
  });

  it("is refused with the error of a `toJSON` that throws", () => {
    const mine = new Error("mine");
    expect(() =>
      jsonOf({
        toJSON() {
          throw mine;
        },
      }),
    ).toThrow(mine);
  });
});
