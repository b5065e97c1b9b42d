import { describe, expect, it } from "vitest";
import { hueOf, initials, layOut, type Missing, type Row, type Said, type Unsent } from "../src/page/rows.ts";

const NOON = new Date(2026, 5, 24, 12).getTime();
const MINUTE = 60_000;

let offset = 0;

function said(by: string, time: number, fields: Partial<Said> = {}): Said {
  offset += 1;
  return {
    kind: "said",
    position: `e:${offset}`,
    id: undefined,
    time,
    by,
    name: by,
    text: `text ${offset}`,
    ...fields,
  };
}

function firsts(rows: readonly Row[]): boolean[] {
  return rows.flatMap((row) => (row.kind === "message" ? [row.first] : []));
}

function days(rows: readonly Row[]): string[] {
  return rows.flatMap((row) => (row.kind === "day" ? [row.label] : []));
}

describe("the rows of a room", () => {
  it("group what one person says within five minutes", () => {
    const log = [
      said("ada", NOON),
      said("ada", NOON + MINUTE),
      said("ada", NOON + 7 * MINUTE),
      said("eve", NOON + 8 * MINUTE),
    ];
    expect(firsts(layOut(log, [], "me", NOON))).toEqual([true, false, true, true]);
  });

  it("begin a new group when somebody takes another name", () => {
    expect(
      firsts(layOut([said("ada", NOON), said("ada", NOON, { name: "Countess" })], [], "me", NOON)),
    ).toEqual([true, true]);
  });

  it("have a separator for each day, named from where the reader is", () => {
    const day = 24 * 60 * MINUTE;
    const log = [said("ada", NOON - 10 * day), said("ada", NOON - day), said("ada", NOON)];
    expect(days(layOut(log, [], "me", NOON))).toEqual(["Sunday 14 June", "Yesterday", "Today"]);
    expect(days(layOut(log, [], "me", NOON + day))).toEqual([
      "Sunday 14 June",
      "Tuesday 23 June",
      "Yesterday",
    ]);
  });

  it("end a group where messages are missing", () => {
    const missing: Missing = { kind: "missing", position: "e:90", text: "3 messages are gone" };
    const rows = layOut([said("ada", NOON), missing, said("ada", NOON)], [], "me", NOON);
    expect(rows.map(({ kind }) => kind)).toEqual(["day", "message", "missing", "message"]);
    expect(firsts(rows)).toEqual([true, true]);
  });

  it("put what is unsent at the end, and give its echo the same key", () => {
    const unsent: Unsent = { id: "id-1", by: "me", name: "Me", text: "hello", time: NOON, state: "waiting" };
    const before = layOut([], [unsent], "me", NOON).at(-1);
    const after = layOut([said("me", NOON, { name: "Me", id: "id-1" })], [], "me", NOON).at(-1);
    expect(before).toMatchObject({ own: true, state: "waiting", key: "id-1" });
    expect(after).toMatchObject({ own: true, state: "stored", key: "id-1" });
  });

  it("do not let somebody else's id stand for an own message", () => {
    const unsent: Unsent = { id: "id-1", by: "me", name: "Me", text: "hello", time: NOON, state: "waiting" };
    const rows = layOut([said("eve", NOON, { id: "id-1" })], [unsent], "me", NOON);
    expect(new Set(rows.map(({ key }) => key)).size).toBe(rows.length);
  });
});

describe("a person's sign", () => {
  it("is made of the first letters of the first and last name", () => {
    expect(["Ada", "grace brewster hopper", "  élodie  ", "李 小龍", "🦊 fox"].map(initials)).toEqual([
      "A",
      "GH",
      "É",
      "李小",
      "🦊F",
    ]);
  });

  it("has a colour that stays", () => {
    expect(hueOf("3f2a")).toBe(hueOf("3f2a"));
    expect(hueOf("3f2a") % 30).toBe(0);
  });
});
