import { expect, it } from "vitest";
import { comparePairs, describeComparisons, measurePairs, type Side } from "./compare.ts";

const columns = [
  { key: "cpu", head: "CPU, µs", digits: 1, cost: true },
  { key: "p99", head: "p99, ms", digits: 1 },
] as const;

it("the two builds are measured in turn, and every second pair begins with the other build", async () => {
  const order: Side[] = [];
  const pairs = await measurePairs(3, async (side, pair) => {
    order.push(side);
    return Promise.resolve({ partyline: { cpu: side === "now" ? pair * 2 : pair } });
  });
  expect(order).toEqual(["before", "now", "now", "before", "before", "now"]);
  expect(pairs.map(({ before, now }) => [before["partyline"]?.["cpu"], now["partyline"]?.["cpu"]])).toEqual([
    [1, 2],
    [2, 4],
    [3, 6],
  ]);
});

it("only cost figures of subjects that both builds have are compared", () => {
  const measured = [10, 20, 40].map((cpu) => ({
    before: { shared: { cpu, p99: 1 } },
    now: { shared: { cpu: cpu * 1.5, p99: 9 }, added: { cpu: 1 } },
  }));
  const comparisons = comparePairs({ title: "Fan-out", columns }, measured);
  expect(comparisons).toMatchObject([
    { subject: "shared", figure: "CPU, µs", before: 20, now: 30, ratio: { median: 1.5, pairs: 3 } },
  ]);
  expect(describeComparisons(comparisons)).toContain(
    "| Fan-out | shared | CPU, µs | 20.0 | 30.0 | 1.500 | 1.500–1.500 (too few pairs) | 3 |",
  );
});
