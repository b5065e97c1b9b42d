import { describe, expect, it } from "vitest";
import { readRows } from "./rows.ts";

describe("rows of a file", () => {
  it("are the lines of a CSV by its header, each value a text", async () => {
    const csv =
      '\uFEFFdate,place,mag\r\n2018-02-07,"4km W of Castaic, CA",2.0\r\n\r\n2018-02-08,"a ""b""\nc",\r\n';
    expect(await readRows(csv, "x.csv")).toEqual({
      format: "CSV",
      rows: [
        { date: "2018-02-07", place: "4km W of Castaic, CA", mag: "2.0" },
        { date: "2018-02-08", place: 'a "b"\nc', mag: "" },
      ],
    });
  });

  it.for([";", "\t"])("are told apart by %j where the header has it", async (delimiter) => {
    const csv = `${["a", "b, c", "d"].join(delimiter)}\n${["1", "2", "3"].join(delimiter)}`;
    expect((await readRows(csv, "table")).rows).toEqual([{ a: "1", "b, c": "2", d: "3" }]);
  });

  it("are the values of NDJSON, known by name or by content", async () => {
    const lines = '{"a":1}\n\n{"a":2}\r\n';
    for (const name of ["x.ndjson", "x.jsonl", "x.json", "-"])
      expect(await readRows(lines, name)).toEqual({ format: "NDJSON", rows: [{ a: 1 }, { a: 2 }] });
    expect((await readRows('1\n"two"', "x.ndjson")).rows).toEqual([1, "two"]);
  });

  it("are the items of a JSON array", async () => {
    expect(await readRows(' [1, {"a": 2}] ', "x.json")).toEqual({ format: "JSON", rows: [1, { a: 2 }] });
  });

  it("are the items of the one array of objects in a JSON object", async () => {
    const geo = '{"type": "FeatureCollection",\n "bbox": [1, 2],\n "features": [{"id": 1}, {"id": 2}]}';
    expect((await readRows(geo, "quakes.json")).rows).toEqual([{ id: 1 }, { id: 2 }]);
    expect((await readRows('{"a": 1}', "x.json")).rows).toEqual([{ a: 1 }]);
  });

  it("are not guessed where an object holds several arrays", async () => {
    await expect(readRows('{"a": [{}], "b": [{}]}', "x.json")).rejects.toMatchObject({
      message: "x.json holds several arrays: a, b.",
      remedy: expect.stringContaining("jq -c '.a[]'") as string,
    });
  });

  it.for([
    ["x.csv", "a,b\n1,2,3\n", /^x\.csv can't be read: .*line 2/],
    ["x.json", '[{"a": 1},]', /^x\.json can't be read/],
    ["x.json", '{"a": 1', /^x\.json can't be read/],
    ["x.ndjson", '{"a": 1}\n{"a": \n', /^Line 2 can't be read/],
    ["x.json", '{"a": 1}\n{"a" 2}', /^Line 2 can't be read/],
  ] as const)("are refused with the place in %s: %j", async ([name, text, message]) => {
    await expect(readRows(text, name)).rejects.toThrow(message);
  });
});
