import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { atPace, inOrderOfTime } from "./pace.ts";

/** Plays rows at these times, each of which its reader needs `work` ms for; answers when each came. */
async function play(times: readonly number[], speed: number, work = 0): Promise<number[]> {
  let now = 5000;
  const came: number[] = [];
  const clock = {
    now: () => now,
    sleep: async (milliseconds: number) => void (now += milliseconds),
  };
  const rows = times.map((time) => ({ time, row: undefined }));
  for await (const row of atPace(rows, speed, clock)) {
    came.push(now - 5000);
    now += row ? work : 0;
  }
  return came;
}

describe("rows at pace", () => {
  it("come when they did, counted from the first", async () => {
    expect(await play([1000, 1500, 4000], 1)).toEqual([0, 500, 3000]);
  });

  it("come so many times as fast", async () => {
    expect(await play([0, 60_000, 90_000], 60)).toEqual([0, 1000, 1500]);
    expect(await play([0, 10], 0.5)).toEqual([0, 20]);
  });

  it("come without waiting at full speed", async () => {
    expect(await play([0, 1e9, 2e9], Number.POSITIVE_INFINITY)).toEqual([0, 0, 0]);
    expect(await play([], 1)).toEqual([]);
  });

  it("catch up when their reader was slow", async () => {
    expect(await play([0, 100, 200, 1000], 1, 300)).toEqual([0, 300, 600, 1000]);
  });
});

describe("rows in order of time", () => {
  it("stay in the order of the file where their times are equal", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5)), (times) => {
        const rows = times.map((_, index) => index);
        const sorted = inOrderOfTime(rows, times);
        const expected = rows.toSorted((a, b) => (times[a] ?? 0) - (times[b] ?? 0) || a - b);
        expect(sorted.map(({ row }) => row)).toEqual(expected);
      }),
    );
  });

  it("are in the order of the file where there are no times", () => {
    expect(inOrderOfTime(["b", "a"], []).map(({ row }) => row)).toEqual(["b", "a"]);
  });
});
