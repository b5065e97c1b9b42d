import { describe, expect, it } from "vitest";
import { createCounters } from "../core/counters.ts";
import { TimerWheel } from "../core/wheel.ts";
import { PartylineError } from "../protocol/errors.ts";
import { createVirtualClock, type VirtualClock } from "../testing/virtual-clock.ts";
import type { Poll } from "../transports/connect-poll.ts";
import { type Guest, type Kept, Registry } from "../transports/registry.ts";
import { askedBy, Drain, type DrainPlan } from "./drain.ts";

interface Rig {
  readonly clock: VirtualClock;
  readonly polls: Set<Guest>;
  /** Names of those who were asked, with the ms at which they were. */
  readonly asked: [name: string, at: number][];
  readonly counters: ReturnType<typeof createCounters>;
  /** A connection that goes when it is asked, or stays. */
  enter(name: string, how?: { readonly breaks?: boolean; readonly stays?: boolean }): Kept;
  start(plan: DrainPlan): Drain;
  /** `true` when the drain is over. */
  over: boolean;
  stopped: boolean;
}

function createRig(): Rig {
  const clock = createVirtualClock();
  const registry = new Registry(
    new TimerWheel(clock, { report: (_what, thrown) => expect.fail(String(thrown)) }),
  );
  const counters = createCounters();
  const polls = new Set<Guest>();
  const asked: [string, number][] = [];
  const reason = new PartylineError("draining", "It ends.");
  const rig: Rig = {
    clock,
    polls,
    asked,
    counters,
    over: false,
    stopped: false,
    enter(name, { breaks = false, stays = false } = {}) {
      const kept: Kept = {
        index: -1,
        breaks,
        tick: () => undefined,
        close: () => undefined,
        destroy: () => undefined,
        leave() {
          asked.push([name, clock.now()]);
          if (!stays) registry.remove(kept);
        },
      };
      registry.add(kept);
      return kept;
    },
    start(plan) {
      const parting = () => ({ within: 0, retry: 0, reason });
      const drain = new Drain({ registry, polls, clock, metrics: counters, parting }, plan);
      void drain.run(() => rig.stopped).then(() => (rig.over = true));
      return drain;
    },
  };
  return rig;
}

/** Lets time pass, and promises settle. */
async function pass(rig: Rig, milliseconds: number): Promise<void> {
  rig.clock.advance(milliseconds);
  await Promise.resolve();
}

describe("the moments of a drain", () => {
  it("come at the rate, the first at once [DRAIN-1]", () => {
    const plan = { within: 10_000, rate: 10 };
    expect([0, 99, 100, 1_000, 9_000].map((elapsed) => askedBy(elapsed, 20, plan))).toEqual([
      1, 1, 2, 11, 20,
    ]);
  });

  it("come faster where the rate would not do for all, so that the last one has time left too [DRAIN-1]", () => {
    const plan = { within: 10_000, rate: 10 };
    expect([0, 4_000, 7_999, 8_000].map((elapsed) => askedBy(elapsed, 1_000, plan))).toEqual([
      1, 501, 1_000, 1_000,
    ]);
  });

  it("belong first to those who leave without a break, the oldest first [DRAIN-1]", async () => {
    const rig = createRig();
    for (const name of ["a", "b", "c", "d"]) rig.enter(name, { breaks: name < "c" });
    rig.start({ within: 10_000, rate: 10 });
    await pass(rig, 1_000);
    expect(rig.asked.map(([name]) => name)).toEqual(["c", "d", "a", "b"]);
    expect(rig.asked.map(([, at]) => Math.floor(at / 100))).toEqual([0, 1, 2, 3]);
    expect(rig.counters.snapshot()).toEqual({ drained: { asked: 2, sent: 2 } });
    expect(rig.over).toBe(true);
  });

  it("come once, also to one who was given it early", async () => {
    const rig = createRig();
    const early = rig.enter("early", { stays: true });
    rig.enter("other");
    const drain = rig.start({ within: 10_000, rate: 1 });
    drain.ask(early);
    await pass(rig, 10_000);
    expect(rig.asked.map(([name]) => name).sort()).toEqual(["early", "other"]);
  });

  it("come to those too who were on their way in when it began", async () => {
    const rig = createRig();
    rig.enter("here", { stays: true });
    rig.start({ within: 10_000, rate: 100 });
    await pass(rig, 1_000);
    rig.enter("late");
    await pass(rig, 1_100);
    expect(rig.asked.map(([name]) => name)).toEqual(["here", "late"]);
  });
});

describe("a drain", () => {
  it("is over when nobody is there", async () => {
    const rig = createRig();
    rig.start({ within: 10_000, rate: 10 });
    await pass(rig, 0);
    expect(rig.over).toBe(true);
  });

  it("is over when its time is, whoever is left, and leaves no timer behind [DRAIN-8]", async () => {
    const rig = createRig();
    rig.enter("stays", { stays: true });
    rig.start({ within: 10_000, rate: 10 });
    await pass(rig, 9_999);
    expect(rig.over).toBe(false);
    await pass(rig, 40);
    expect(rig.over).toBe(true);
  });

  it("is over when it is stopped", async () => {
    const rig = createRig();
    rig.enter("stays", { stays: true });
    rig.start({ within: 10_000, rate: 10 });
    rig.stopped = true;
    await pass(rig, 20);
    expect(rig.over).toBe(true);
  });

  it("waits for one who polls, and may be between two polls", async () => {
    const rig = createRig();
    const poll = { breaks: false, remind: () => undefined, leave: () => undefined, close: () => undefined };
    rig.polls.add(poll);
    const drain = rig.start({ within: 60_000, rate: 10 });
    drain.remind(poll as unknown as Poll);
    await pass(rig, 5_000);
    rig.polls.delete(poll);
    drain.polled();
    await pass(rig, 900);
    expect(rig.over).toBe(false);
    await pass(rig, 200);
    expect(rig.over).toBe(true);
  });
});
