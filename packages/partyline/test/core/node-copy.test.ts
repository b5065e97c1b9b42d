/** What a node knows of a log is a copy, which may be behind, or of a life that is over. */
import { describe, expect, it } from "vitest";
import type { AppendListener, AttachAnswer, Broker } from "../../src/core/ports.ts";
import { encodeText, type Entry } from "../../src/protocol/message.ts";
import { describeAnswer, type ReadingProbe } from "../../src/testing/reading-probe.ts";
import { attach, createHarness, type Harness, open } from "./harness.ts";

/** A broker that this node does not hear while it is deaf, and that can speak with the voice of another. */
function partedBroker() {
  const listeners: AppendListener[] = [];
  const state = { deaf: false };
  const wrap = (memory: Harness["memory"]): Broker => ({
    ...memory,
    subscribe(spec, listener) {
      listeners.push(listener);
      return memory.subscribe(spec, (epoch, entries) => {
        if (!state.deaf) listener(epoch, entries);
      });
    },
  });
  return { state, wrap, say: (...told: Parameters<AppendListener>) => listeners[0]?.(...told) };
}

function read(harness: Harness, since?: string): { probe: ReadingProbe; answer: AttachAnswer } {
  const { probe, reader } = open(harness);
  return { probe, answer: attach(reader, "a", since) };
}

const entry = (offset: number, text: string): Entry => ({
  offset,
  time: 1_790_000_000_000,
  kind: "text",
  data: encodeText(text),
  id: undefined,
  key: undefined,
});

describe("a position beyond what this node has heard", () => {
  it("is continuous where the broker knows it: its reader gets what follows, once [POS-18]", () => {
    const parted = partedBroker();
    const harness = createHarness({}, parted.wrap);
    read(harness);
    harness.publish("a", "one");
    parted.state.deaf = true;
    for (const text of ["two", "three"]) harness.publish("a", text);
    const { epoch } = harness.publish("a", "four").position;
    const { probe, answer } = read(harness, `${epoch}:3`);
    expect(describeAnswer(answer)).toBe(`continuous 1 from ${epoch}:3`);
    parted.state.deaf = false;
    harness.publish("a", "five");
    harness.clock.turn();
    expect(probe.takeLog()).toEqual(["4:four", "5:five"]);
  });

  it("is a gap where the broker does not know it either [POS-16, POS-18]", () => {
    const parted = partedBroker();
    const harness = createHarness({}, parted.wrap);
    read(harness);
    parted.state.deaf = true;
    const { epoch } = harness.publish("a", "one").position;
    expect(describeAnswer(read(harness, `${epoch}:2`).answer)).toBe(`gap unknown-position to ${epoch}:1`);
  });

  it("of a life that the broker began and this node has not heard of is continuous [POS-18]", () => {
    const parted = partedBroker();
    const harness = createHarness({}, parted.wrap);
    read(harness);
    const old = harness.publish("a", "one").position;
    harness.clock.turn();
    parted.state.deaf = true;
    harness.memory.forget("a");
    const { epoch } = harness.publish("a", "again one").position;
    harness.publish("a", "again two");
    const { probe, answer } = read(harness, `${epoch}:1`);
    expect(describeAnswer(answer)).toBe(`continuous 1 from ${epoch}:1`);
    // This node's own head: it does not know better.
    expect(describeAnswer(read(harness, `${old.epoch}:1`).answer)).toBe(`gap epoch to ${epoch}:0`);
    parted.state.deaf = false;
    harness.publish("a", "again three");
    harness.clock.turn();
    expect(probe.takeLog()).toEqual(["2:again two", "3:again three"]);
  });
});

describe("entries of an earlier life that arrive late", () => {
  it("are dropped: nobody is given them, and what follows is no hole [POS-6]", () => {
    const parted = partedBroker();
    const harness = createHarness({}, parted.wrap);
    const { probe } = read(harness);
    const old = harness.publish("a", "one").position;
    harness.memory.forget("a");
    const { epoch } = harness.publish("a", "again one").position;
    harness.clock.turn();
    parted.say(old.epoch, [entry(2, "two of the old life")]);
    harness.publish("a", "again two");
    harness.clock.turn();
    parted.say(old.epoch, [entry(3, "three of the old life")]);
    harness.clock.turn();
    const late = read(harness, "earliest").probe;
    harness.clock.turn();
    expect(probe.takeLog()).toEqual([
      "1:one",
      `gap epoch ${old.epoch}:1 ${epoch}:0`,
      "1:again one",
      "2:again two",
    ]);
    expect(late.takeLog()).toEqual(["1:again one", "2:again two"]);
  });
});
