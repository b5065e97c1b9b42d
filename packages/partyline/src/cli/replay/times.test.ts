import { describe, expect, it } from "vitest";
import { fieldOf, readTimes } from "./times.ts";

const times = (...values: unknown[]): number[] =>
  readTimes(
    values.map((t) => ({ t })),
    "t",
  );
const NOON = Date.UTC(2026, 5, 11, 12);

describe("times of rows", () => {
  it("are ms since 1970 where the largest number is that large", () => {
    expect(times(NOON, String(NOON + 5), 0)).toEqual([NOON, NOON + 5, 0]);
  });

  it("are seconds where no number is", () => {
    expect(times(NOON / 1000, NOON / 1000 + 0.5)).toEqual([NOON, NOON + 500]);
    expect(times("0.04", 5, "1e3", "-2")).toEqual([40, 5000, 1_000_000, -2000]);
  });

  it.for([
    ["2026-06-11T12:00:00Z", NOON],
    ["2026-06-11T12:00:00.250Z", NOON + 250],
    ["2026-06-11 12:00", NOON],
    ["2026-06-11T14:00+02:00", NOON],
    ["2026-06-11T14:00:00+0200", NOON],
    ["2026-06-11T07:00:00-05", NOON],
    ["2026-06-11", NOON - 12 * 3_600_000],
    ["2026-06", Date.UTC(2026, 5, 1)],
    ["1:05:30.5", 3_930_500],
    ["90:07", 5_407_000],
  ] as const)("are read from the text %s", ([text, time]) => {
    expect(times(` ${text} `)).toEqual([time]);
  });

  it.for([null, "", "soon", Number.NaN, true, {}, "2026-13-01", "11/06/2026", "1:75", "20260611T12"])(
    "are not read from %j: the row is named",
    (value) => {
      expect(() => times(1, value)).toThrow(/Row 2 has no time in "t"/);
    },
  );

  it("name the fields that there are where theirs is missing", () => {
    expect(() => readTimes([{ date: "2026-06-11", wind: 4 }], "time")).toThrow(
      expect.objectContaining({
        message: 'Row 1 has no field "time".',
        remedy: "It has: date, wind.",
        exitCode: 1,
      }),
    );
    expect(() => readTimes(["text"], "time")).toThrow(
      expect.objectContaining({ remedy: "The rows are not objects." }),
    );
  });
});

describe("a field", () => {
  it("is found by its name, or by a path", () => {
    const row = { "Start.Time [s]": 1, properties: { time: 2, list: [{ at: 3 }] } };
    expect(fieldOf(row, "Start.Time [s]")).toBe(1);
    expect(fieldOf(row, "properties.time")).toBe(2);
    expect(fieldOf(row, "properties.list.0.at")).toBe(3);
    expect(fieldOf(row, "properties.time.deeper")).toBeUndefined();
    expect(fieldOf(row, "constructor")).toBeUndefined();
    expect(fieldOf(null, "time")).toBeUndefined();
  });
});
