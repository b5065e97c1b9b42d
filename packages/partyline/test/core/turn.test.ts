import { describe, expect, it } from "vitest";
import { OPEN_GRANTS } from "../../src/core/grants.ts";
import type { Outgoing } from "../../src/core/ports.ts";
import { createReadingProbe, type ReadingProbe } from "../../src/testing/reading-probe.ts";
import { attach, createHarness, type Harness } from "./harness.ts";

/** So many that a flush is followed by a rest as long as it took, up to the longest. */
const MANY: readonly string[] = Array.from({ length: 41 }, (_, index) => `m${index}`);

/** A reader to whom every write costs so many ms. */
function dearReader(harness: Harness, cost: number, channels: readonly string[] = ["a"]): ReadingProbe {
  const probe = createReadingProbe();
  const write = (outgoing: Outgoing): boolean => {
    harness.clock.step(cost);
    return probe.write(outgoing);
  };
  const reader = harness.engine.open({ ...probe, write }, OPEN_GRANTS);
  for (const channel of channels) attach(reader, channel);
  return probe;
}

/** Publishes so many messages and ends the turn. */
function turnWith(harness: Harness, ...texts: readonly string[]): void {
  for (const text of texts) harness.publish("a", text);
  harness.clock.turn();
}

describe("what channels got in one turn", () => {
  it("leaves at its end", () => {
    const harness = createHarness();
    const probe = dearReader(harness, 0);
    turnWith(harness, "one", "two");
    turnWith(harness, "three");
    expect(probe.takeLog()).toEqual(["1:one", "2:two", "3:three"]);
    expect(probe.outgoing).toHaveLength(2);
  });

  it("leaves before its end as soon as it is 256 messages, or 64 KiB of data", () => {
    const harness = createHarness();
    const probe = dearReader(harness, 0);
    for (let n = 0; n < 600; n++) harness.publish("a", "x");
    expect(probe.takeLog()).toHaveLength(512);
    for (let n = 0; n < 3; n++) harness.publish("a", "x".repeat(30_000));
    expect(probe.takeLog()).toHaveLength(88 + 3);
    harness.clock.turn();
    expect(probe.outgoing).toHaveLength(3);
  });

  it("is held after a flush that took long and had much, and leaves with what came meanwhile", () => {
    const harness = createHarness();
    const probe = dearReader(harness, 5);
    turnWith(harness, ...MANY);
    turnWith(harness, "next");
    harness.clock.advance(4);
    turnWith(harness, "last");
    expect(probe.outgoing).toHaveLength(1);
    harness.clock.advance(1);
    expect(probe.outgoing).toHaveLength(2);
    expect(probe.takeLog().slice(-2)).toEqual(["42:next", "43:last"]);
  });

  it("is held for less where it was less", () => {
    const harness = createHarness();
    const probe = dearReader(harness, 8);
    turnWith(harness, ...MANY.slice(0, 9));
    turnWith(harness, "next");
    harness.clock.advance(1);
    expect(probe.outgoing).toHaveLength(1);
    harness.clock.advance(1);
    expect(probe.outgoing).toHaveLength(2);
  });

  it("is held for 10 ms at most", () => {
    const harness = createHarness();
    const probe = dearReader(harness, 500);
    turnWith(harness, ...MANY);
    turnWith(harness, "next");
    harness.clock.advance(10);
    expect(probe.outgoing).toHaveLength(2);
  });

  it("is not held once that time is over", () => {
    const harness = createHarness();
    const probe = dearReader(harness, 5);
    turnWith(harness, ...MANY);
    harness.clock.advance(5);
    turnWith(harness, "next");
    expect(probe.outgoing).toHaveLength(2);
  });

  it("is never held where messages come one by one, however long each takes", () => {
    const harness = createHarness();
    const probe = dearReader(harness, 50);
    for (const text of ["one", "two", "three"]) turnWith(harness, text);
    expect(probe.takeLog()).toEqual(["1:one", "2:two", "3:three"]);
  });

  it("is not held where no channel had more than one message, for nothing would be joined", () => {
    const harness = createHarness();
    const probe = dearReader(harness, 5, ["a", ...MANY]);
    for (const channel of MANY) harness.publish(channel, "elsewhere");
    turnWith(harness, "one");
    turnWith(harness, "two");
    expect(probe.log.at(-1)).toBe("2:two");
  });

  it("is not held from somebody who waits for the turn's end", () => {
    const harness = createHarness();
    const probe = dearReader(harness, 5);
    turnWith(harness, ...MANY);
    harness.publish("a", "next");
    let newest: string | undefined;
    harness.engine.afterTurn(() => (newest = probe.log.at(-1)));
    harness.clock.turn();
    expect(newest).toBe("42:next");
  });

  it("holds up no catch-up", () => {
    const harness = createHarness();
    dearReader(harness, 5);
    turnWith(harness, ...MANY);
    harness.publish("a", "next");
    const late = createReadingProbe();
    attach(harness.engine.open(late, OPEN_GRANTS), "a", "earliest");
    harness.clock.turn();
    expect(late.log.at(-1)).toBe("42:next");
    harness.clock.advance(10);
    expect(late.log).toHaveLength(42);
  });
});
