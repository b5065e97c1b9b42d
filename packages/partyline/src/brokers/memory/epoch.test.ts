import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readPosition } from "../../protocol/position.ts";
import { createEpochs } from "./epoch.ts";

describe("epochs", () => {
  it("are 8 characters of time and 4 random ones", () => {
    const next = createEpochs(() => 0.5);
    expect(next(Date.UTC(2026, 10, 23))).toBe("mwsi1hc0i000");
    expect(next(0).slice(0, 8)).toBe("mwsi1hc0");
  });

  it("grow, whatever the clock and the random numbers do, and are epochs of positions", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.integer({ min: -5, max: 2 ** 40 }),
            fc.double({ min: 0, max: 0.999_999_999, noNaN: true }),
          ),
        ),
        (steps) => {
          let random = 0;
          const next = createEpochs(() => random);
          const epochs = steps.map(([now, number]) => {
            random = number;
            return next(now);
          });
          expect(epochs).toEqual(epochs.toSorted());
          expect(new Set(epochs).size).toBe(epochs.length);
          for (const epoch of epochs) expect(readPosition(`${epoch}:0`)).toBeDefined();
        },
      ),
    );
  });

  it("carry into the time when the random part is full", () => {
    const next = createEpochs(() => 1 - Number.EPSILON);
    expect([next(35), next(35)]).toEqual(["0000000zzzzz", "000000100000"]);
  });
});
