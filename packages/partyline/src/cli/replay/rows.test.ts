import { describe, expect, it } from "vitest";
import { readRows } from "./rows.ts";

/** The format and the values, without the source texts. */
async function read(text: string, name: string): Promise<{ format: string; rows: unknown[] }> {
  const { format, rows } = await readRows(text, name);
  return { format, rows: rows.map(({ value }) => value) };
}

const sources = async (text: string, name: string): Promise<string[]> =>
  (await readRows(text, name)).rows.map(({ json }) => json);

describe("rows of a file", () => {
  it("are the lines of a CSV by its header, each value a text", async () => {
    const csv =
      '\uFEFFdate,place,mag\r\n2018-02-07,"4km W of Castaic, CA",2.0\r\n\r\n2018-02-08,"a ""b""\nc",\r\n';
    expect(await read(csv, "x.csv")).toEqual({
      format: "CSV",
      rows: [
        { date: "2018-02-07", place: "4km W of Castaic, CA", mag: "2.0" },
        { date: "2018-02-08", place: 'a "b"\nc', mag: "" },
      ],
    });
  });

  it.for([";", "\t"])("are told apart by %j where the header has it", async (delimiter) => {
    const csv = `${["a", "b, c", "d"].join(delimiter)}\n${["1", "2", "3"].join(delimiter)}`;
    expect((await read(csv, "table")).rows).toEqual([{ a: "1", "b, c": "2", d: "3" }]);
  });

  it("are the values of NDJSON, known by name or by content", async () => {
    const lines = '{"a":1}\n\n{"a":2}\r\n';
    for (const name of ["x.ndjson", "x.jsonl", "x.json", "-"])
      expect(await read(lines, name)).toEqual({ format: "NDJSON", rows: [{ a: 1 }, { a: 2 }] });
    expect((await read('1\n"two"', "x.ndjson")).rows).toEqual([1, "two"]);
  });

  it("are the items of a JSON array", async () => {
    expect(await read(' [1, {"a": 2}] ', "x.json")).toEqual({ format: "JSON", rows: [1, { a: 2 }] });
  });

  it("are the items of the one array of objects in a JSON object", async () => {
    const geo = '{"type": "FeatureCollection",\n "bbox": [1, 2],\n "features": [{"id": 1}, {"id": 2}]}';
    expect((await read(geo, "quakes.json")).rows).toEqual([{ id: 1 }, { id: 2 }]);
    expect((await read('{"a": 1}', "x.json")).rows).toEqual([{ a: 1 }]);
  });

  it("are not guessed where an object holds several arrays", async () => {
    await expect(readRows('{"a": [{}], "b": [{}]}', "x.json")).rejects.toMatchObject({
      message: "x.json holds several arrays: a, b.",
      remedy: expect.stringContaining("jq -c '.a[]'") as string,
    });
  });

  it("keep the source text of JSON, whatever JSON.parse makes of it", async () => {
    const rows = ['{"n":12345678901234567890, "n":1.0}', '[1e400,"\\u0041"]', '"a]}"'];
    expect(await sources(rows.join("\n"), "x.ndjson")).toEqual(rows);
    expect(await sources(` [${rows.join(" ,\n")}\n] `, "x.json")).toEqual(rows);
    expect(await sources(`{"type": "x", "rows": [{}, ${rows[0]}]}`, "x.json")).toEqual(["{}", rows[0]]);
    expect(await sources("[]", "x.json")).toEqual([]);
  });

  it("are told apart by tabs in a .tsv, whatever its header holds", async () => {
    expect((await read("a,b,c\td\n1,2\t3\n", "x.tsv")).rows).toEqual([{ "a,b,c": "1,2", d: "3" }]);
  });

  it("are told apart by the delimiter that stands outside of quotes", async () => {
    expect((await read('"a;b;c;d",e\n1,2\n', "x.csv")).rows).toEqual([{ "a;b;c;d": "1", e: "2" }]);
    expect((await read('"a\n;;;",e\n1,2\n', "x.csv")).rows).toEqual([{ "a\n;;;": "1", e: "2" }]);
  });

  it("are refused if two columns of a CSV have one name", async () => {
    await expect(read("a,b,a\n1,2,3\n", "x.csv")).rejects.toThrow('x.csv has two columns named "a".');
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
