import { describe, expect, it } from "vitest";
import { afterDeath, SETTLED } from "./restart.ts";

const early = { lived: 20, othersSettled: false };

function delays(deaths: number, death: typeof early): (number | undefined)[] {
  let failures = 0;
  return Array.from({ length: deaths }, () => {
    const next = afterDeath(failures, death);
    ({ failures } = next);
    return next.delay;
  });
}

describe("the death of a worker", () => {
  it("is followed by another one at once where it had served for a while", () => {
    expect(afterDeath(4, { lived: SETTLED, othersSettled: false })).toEqual({ failures: 0, delay: 0 });
  });

  it("is followed by longer and longer waits where it came early, and by the end", () => {
    expect(delays(5, early)).toEqual([100, 200, 400, 800, undefined]);
  });

  it("never is the end while another one has settled", () => {
    expect(delays(9, { ...early, othersSettled: true })).toEqual([
      100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000,
    ]);
  });
});
