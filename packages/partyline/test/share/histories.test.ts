/** Many tabs on one connection over generated histories. `RUNS=1000` sets how many. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { History } from "./tab-history.ts";
import { step } from "./tab-steps.ts";

const RUNS = Number(process.env["RUNS"] ?? 60);

it(
  "gives every tab the log as a connection of its own would, whatever happens to tabs and connection [READ-1, READ-2, READ-3, READ-4, READ-5]",
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 120, size: "max" }),
        fc.integer({ min: 1, max: 1e9 }),
        async (steps, seed) => {
          const history = new History(seed);
          for (const made of steps) await history.run(made);
          await history.settle();
          expect(history.faults()).toEqual([]);
          await history.close();
          expect([history.world.connections, history.world.leftovers()]).toEqual([0, []]);
        },
      ),
      { numRuns: RUNS },
    );
  },
  15_000 + RUNS * 300,
);
