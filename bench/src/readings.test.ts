import { expect, it } from "vitest";
import { median, percentile, table } from "./readings.ts";

it("the median is the middle value, whatever the order, or between the two in the middle", () => {
  expect([median([30, 1, 2]), median([9, 4, 1, 5])]).toEqual([2, 4.5]);
});

it("a percentile is a value that was measured, and the last one at most", () => {
  const values = Array.from({ length: 200 }, (_, index) => 200 - index);
  expect([percentile(values, 0.5), percentile(values, 0.99), percentile(values, 1)]).toEqual([101, 199, 200]);
});

it("without a value there is no figure", () => {
  expect([median([]), percentile([], 0.5)]).toEqual([Number.NaN, Number.NaN]);
});

it("a table has its figures to the right", () => {
  expect(table(["server", "ms"], [["a", 1]])).toBe("| server | ms |\n|---|--:|\n| a | 1 |");
});
