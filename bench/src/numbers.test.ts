import { expect, it } from "vitest";
import { BENCHMARKS } from "./benchmarks.ts";
import { MOST, readNumbers } from "./numbers.ts";

it("options are numbers above 0, and have a bound that is named", () => {
  expect(readNumbers({ runs: "2", seconds: "30", rate: "0.5" }, ["fan-out"])).toEqual({
    runs: 2,
    seconds: 30,
    rate: 0.5,
  });
  for (const text of ["31", "1e9", "Infinity", "0", "-1", "NaN", "many"])
    expect(() => readNumbers({ seconds: text }, ["fan-out"])).toThrow(
      `--seconds is a number above 0 and at most 30, not "${text}".`,
    );
});

it("every option of every benchmark has a bound, and by default is within it", () => {
  const options = Object.values(BENCHMARKS).flatMap((benchmark) => Object.entries(benchmark.options));
  expect(options.filter(([name, value]) => !(value <= (MOST[name] ?? 0)))).toEqual([]);
});

it("an option that not every benchmark has is refused", () => {
  expect(() => readNumbers({ behind: "5" }, ["catch-up", "fan-out"])).toThrow(
    "Not every benchmark named has --behind.",
  );
});
