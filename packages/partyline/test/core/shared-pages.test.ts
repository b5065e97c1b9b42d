import { describe, expect, it } from "vitest";
import { SERVER_GRANTS } from "../../src/core/grants.ts";
import { attach, createHarness, open } from "./harness.ts";

describe("a page of catch-up", () => {
  it("is encoded once for all who resume from the same place", () => {
    const harness = createHarness();
    for (let index = 0; index < 100; index++) harness.publish("a", `m${index}`);
    let encodings = 0;
    const format = { slot: 0, encode: () => ++encodings };
    for (let count = 0; count < 50; count++) {
      const { probe, reader } = open(harness);
      attach(reader, "a", "earliest");
      for (const outgoing of probe.outgoing) outgoing.encoded(format);
    }
    expect(encodings).toBe(1);
  });

  it("is not shared when it would be a piece of what there is by now", () => {
    const harness = createHarness();
    harness.publish("a", "one");
    attach(open(harness).reader, "a", "earliest");
    harness.publish("a", "two");
    const { probe, reader } = open(harness);
    attach(reader, "a", "earliest");
    expect(probe.outgoing).toHaveLength(1);
    expect(probe.takeLog()).toEqual(["1:one", "2:two"]);
  });

  it("is let go of when those who came together are served", () => {
    const harness = createHarness();
    for (let index = 0; index < 100; index++) harness.publish("a", `m${index}`);
    let encodings = 0;
    const format = { slot: 0, encode: () => ++encodings };
    const come = (): void => {
      const { probe, reader } = open(harness);
      attach(reader, "a", "earliest");
      for (const outgoing of probe.outgoing) outgoing.encoded(format);
    };
    come();
    harness.clock.advance(21_000);
    come();
    come();
    expect(encodings).toBe(2);
  });
});

describe("a long catch-up", () => {
  const MESSAGES = 120;
  /** Messages of 16 000 bytes, four to a page. */
  const PAGES = MESSAGES / 4;

  /** How often something was encoded for readers who resume there, each when the one before has got everything. */
  function encodings(places: readonly string[]): number {
    const harness = createHarness();
    for (let n = 1; n <= MESSAGES; n++) harness.publish("a", "x".repeat(16_000));
    let count = 0;
    const format = { slot: 0, encode: () => ++count };
    const readers = places.map((since) => {
      const { probe, reader } = open(harness);
      attach(reader, "a", since);
      harness.clock.turn();
      expect(reader.positions()[0]?.offset).toBe(MESSAGES);
      return probe;
    });
    // They hold what they were given, as a socket does that has not taken it yet.
    for (const { outgoing } of readers) for (const page of outgoing) page.encoded(format);
    return count;
  }

  it("is encoded once for all who are as far behind, also when one after the other reads all of it", () => {
    expect(encodings(Array.from({ length: 20 }, () => "earliest"))).toBe(PAGES);
  });

  it("is encoded once for those who begin at different places: they meet after a page", () => {
    const places = Array.from({ length: 20 }, (_, index) => `last:${MESSAGES - index}`);
    expect(encodings(["earliest", ...places])).toBeLessThanOrEqual(PAGES + places.length);
  });
});

describe("a page of the latest values", () => {
  const PRICES = {
    channels: { prices: { keep: "latest", maxKeys: 300 } },
  } as const;

  /** The values that a reader of this log holds: what it was given, without what it was told is gone. */
  const held = (log: readonly string[], state = new Map<string, string>()): Map<string, string> => {
    for (const line of log) {
      if (line.startsWith("gap")) state.clear();
      const [, key, value] = /^\d+:(\w+)=(\w*)$/.exec(line) ?? [];
      if (key !== undefined && value !== undefined) state.set(key, value);
    }
    return state;
  };

  it("is not shared once one of them was replaced", () => {
    const harness = createHarness(PRICES);
    for (let index = 0; index < 300; index++) harness.publish("prices", `k${index}=1`, `k${index}`);
    const first = open(harness);
    attach(first.reader, "prices", "earliest");
    harness.publish("prices", "k5=2", "k5");
    const second = open(harness);
    attach(second.reader, "prices", "earliest");
    harness.clock.turn();
    expect(second.probe.takeLog().filter((line) => line.includes(":k5="))).toEqual(["301:k5=2"]);
  });

  it("is not shared with who would have to be told of a deletion that was forgotten [KEEP-8] [KEEP-16]", () => {
    const harness = createHarness(PRICES);
    for (let index = 0; index < 300; index++) harness.publish("prices", `k${index}=1`, `k${index}`);
    const early = open(harness);
    early.probe.room = 1;
    attach(early.reader, "prices", "earliest");
    const before = early.probe.takeLog();
    expect(before).toHaveLength(256);
    // It holds k0 and is full. k0 is deleted, the deletion forgotten, and somebody else begins where it stands.
    void harness.engine.remove("prices", "k0", SERVER_GRANTS);
    for (let index = 0; index <= 300; index++) {
      harness.publish("prices", "1", `x${index}`);
      void harness.engine.remove("prices", `x${index}`, SERVER_GRANTS);
    }
    const head = harness.memory.heads(["prices"])[0]?.position.offset ?? 0;
    attach(open(harness).reader, "prices", `last:${head - 256}`);
    early.probe.room = Number.POSITIVE_INFINITY;
    early.reader.drained();
    harness.clock.turn();
    const fresh = open(harness);
    attach(fresh.reader, "prices", "earliest");
    harness.clock.turn();
    expect(held([...before, ...early.probe.takeLog()])).toEqual(held(fresh.probe.takeLog()));
  });
});
