import { expect, it } from "vitest";
import { type Benchmark, NotThere, type Subject } from "./benchmark.ts";
import { run } from "./run.ts";

const asked: string[] = [];

function subject(name: string, measure: (numbers: Record<string, number>) => number): Subject {
  return {
    name,
    async measure(numbers) {
      asked.push(name);
      return Promise.resolve({ figures: { cost: measure(numbers) } });
    },
  };
}

const benchmark: Benchmark = {
  title: "Some",
  about: "",
  describe: ({ size = 0 }) => `size ${size}`,
  options: { size: 1, rate: 2 },
  tiny: {},
  seconds: 1,
  subjects: [
    subject("a", ({ size = 0, rate = 0 }) => size * rate),
    subject("absent", () => {
      throw new NotThere("no network");
    }),
    subject("broken", () => {
      throw new Error("it has ended");
    }),
  ],
  columns: [{ key: "cost", head: "cost", digits: 0 }],
};

const quiet = { runs: 2, only: "", progress: (): void => undefined };

it("subjects are measured in turn, again and again; one that is absent is asked for once", async () => {
  asked.length = 0;
  const { rows, describe } = await run(benchmark, { ...quiet, numbers: { size: 5 } });
  expect(asked).toEqual(["a", "absent", "broken", "a", "broken"]);
  expect(describe).toBe("size 5");
  expect(rows).toEqual([
    { subject: "a", runs: [{ cost: 10 }, { cost: 10 }] },
    { subject: "absent", runs: [], missing: "not there: no network" },
    { subject: "broken", runs: [], missing: "a run failed: it has ended" },
  ]);
});

it("only subjects whose name holds what is wanted are measured", async () => {
  const { rows } = await run(benchmark, { ...quiet, numbers: {}, only: "brok" });
  expect(rows.map(({ subject: name }) => name)).toEqual(["broken"]);
});
