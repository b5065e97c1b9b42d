/** What a node holds of its channels: for how long it is given, and how long it is remembered. */
import { describe, expect, it } from "vitest";
import { describeAnswer } from "../../src/testing/reading-probe.ts";
import { attach, createHarness, open } from "./harness.ts";

describe("messages that are too old", () => {
  const SHORT = { retention: { age: 1_000 } } as const;

  it("are not given from the tail to a reader that was slow [KEEP-3]", () => {
    const harness = createHarness(SHORT);
    const { probe, reader } = open(harness);
    attach(reader, "a");
    probe.room = 1;
    for (const text of ["one", "two"]) {
      harness.publish("a", text);
      harness.clock.turn();
    }
    harness.clock.advance(5_000);
    harness.publish("a", "three");
    probe.room = Number.POSITIVE_INFINITY;
    reader.drained();
    harness.clock.turn();
    expect(probe.takeLog().map((line) => line.replaceAll(/[0-9a-z]{12}/g, "e"))).toEqual([
      "1:one",
      "gap retention e:1 e:2",
      "3:three",
    ]);
  });

  it("are not given from a page that others were given in time [KEEP-3]", () => {
    const harness = createHarness(SHORT);
    const slow = open(harness);
    attach(slow.reader, "b");
    slow.probe.room = 1;
    harness.publish("b", "fills it");
    harness.clock.turn();
    harness.publish("a", "one");
    attach(slow.reader, "a", "earliest");
    const quick = open(harness);
    attach(quick.reader, "a", "earliest");
    expect(quick.probe.takeLog()).toEqual(["1:one"]);
    harness.clock.advance(5_000);
    slow.probe.room = Number.POSITIVE_INFINITY;
    slow.reader.drained();
    harness.clock.turn();
    expect(slow.probe.takeLog().map((line) => line.split(" ", 2).join(" "))).toEqual([
      "1:fills it",
      "gap retention",
    ]);
  });
});

describe("a channel that keeps nothing", () => {
  it("answers a position below its head with the gap, and goes on at the head [KEEP-12] [POS-20]", () => {
    const harness = createHarness({ channels: { typing: { keep: "nothing" } } });
    const { epoch } = harness.publish("typing", "one").position;
    harness.publish("typing", "two");
    const { probe, reader } = open(harness);
    expect(describeAnswer(attach(reader, "typing", `${epoch}:1`))).toBe(`gap not-kept to ${epoch}:2`);
    harness.publish("typing", "three");
    harness.clock.turn();
    expect(probe.takeLog()).toEqual(["3:three"]);
  });
});

describe("the channels of a node", () => {
  it("are forgotten when nobody reads them, and those that are read are not [WIRE-9]", () => {
    const harness = createHarness();
    const first = open(harness);
    const busy = attach(first.reader, "busy").channel.number;
    const idle = attach(first.reader, "idle").channel.number;
    first.reader.detach("idle");
    for (let index = 0; index < 20_000; index++) harness.publish(`other/${index}`, "x");
    const second = open(harness);
    expect(attach(second.reader, "busy").channel.number).toBe(busy);
    // A channel that was forgotten is numbered anew: that is all that shows of it.
    expect(attach(second.reader, "idle").channel.number).toBeGreaterThan(idle);
    harness.publish("busy", "one");
    harness.clock.turn();
    expect([first.probe.takeLog(), second.probe.takeLog()]).toEqual([["1:one"], ["1:one"]]);
  });
});
