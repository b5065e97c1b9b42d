import { describe, expect, it } from "vitest";
import { AttachRate } from "./attach-rate.ts";

/** The same numbers each time, spread over 0 to 1. */
function createRandom(): () => number {
  let n = 0;
  return () => (n = (n + 0.754877666) % 1);
}

const never = (): number => {
  throw new Error("Nobody was to be refused.");
};

describe("the rate of attaches", () => {
  it("lets a burst begin at once, and so many a second from then on", () => {
    const rate = new AttachRate({ attachesPerSecond: 10, attachBurst: 3 }, 0);
    const taken = (now: number): boolean => rate.take(1, now, () => 0.5) === 0;
    expect([taken(0), taken(0), taken(0), taken(0)]).toEqual([true, true, true, false]);
    expect([taken(99), taken(100), taken(101)]).toEqual([false, true, false]);
    expect([taken(10_000), taken(10_000), taken(10_000), taken(10_000)]).toEqual([true, true, true, false]);
  });

  it("lets more than a burst begin where there is a whole one, and none before that is paid for", () => {
    const rate = new AttachRate({ attachesPerSecond: 10, attachBurst: 5 }, 0);
    expect(rate.take(20, 0, never)).toBe(0);
    expect(rate.take(1, 1_500, () => 0)).toBeGreaterThan(0);
    expect(rate.take(1, 1_600, never)).toBe(0);
  });

  it("is no limit where it is infinite", () => {
    const rate = new AttachRate({ attachesPerSecond: Infinity, attachBurst: 1 }, 0);
    for (let n = 0; n < 1_000; n++) expect(rate.take(100, 0, never)).toBe(0);
  });

  it("puts those whom it refuses into a line, and spreads each the wider the longer the line", () => {
    const waits = (random: number): number[] => {
      const rate = new AttachRate({ attachesPerSecond: 10, attachBurst: 1 }, 0);
      return Array.from({ length: 41 }, () => rate.take(1, 0, () => random)).slice(1);
    };
    const [least, most] = [waits(0), waits(1)];
    expect(least.map((wait) => Math.round(wait * 10))).toEqual(least.map((_, n) => n + 1));
    expect([most[0], most[9], most[39]]).toEqual([1.1, 2, 8]);
  });

  it("asks nobody to wait longer than two minutes, however many there are", () => {
    const rate = new AttachRate({ attachesPerSecond: 1, attachBurst: 1 }, 0);
    const waits = Array.from({ length: 10_000 }, () => rate.take(1, 0, () => 1));
    expect(Math.max(...waits)).toBe(120);
  });

  it.each([
    { clients: 1_000, attachesPerSecond: 100 },
    { clients: 20_000, attachesPerSecond: 500 },
    { clients: 300, attachesPerSecond: 1 },
  ])("lets $clients who come at once in, at close to $attachesPerSecond a second", (given) => {
    const { clients, attachesPerSecond } = given;
    const random = createRandom();
    const rate = new AttachRate({ attachesPerSecond, attachBurst: attachesPerSecond }, 0);
    const due: number[][] = [Array.from({ length: clients }, () => 0)];
    let refusals = 0;
    let second = 0;
    const inSecond: number[] = [];
    for (let left = clients; left > 0; second++) {
      let letIn = 0;
      for (const now of (due[second] ?? []).sort((a, b) => a - b)) {
        const wait = rate.take(1, now * 1_000, random);
        if (wait === 0) letIn++;
        else {
          refusals++;
          (due[Math.floor(now + wait)] ??= []).push(now + wait);
        }
      }
      left -= letIn;
      inSecond.push(letIn);
    }
    // A burst, and what is earned meanwhile.
    expect(Math.max(...inSecond)).toBeLessThanOrEqual(2 * attachesPerSecond);
    // Those who come back find room: each is refused a few times at most, and little of the rate is left unused.
    expect(refusals / clients).toBeLessThan(4);
    expect(second).toBeLessThan((2.5 * clients) / attachesPerSecond + 3);
  });
});
