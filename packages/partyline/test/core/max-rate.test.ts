import { describe, expect, it } from "vitest";
import { checkMaxRate, parseMaxRate } from "../../src/protocol/max-rate.ts";
import { parseSince } from "../../src/protocol/position.ts";
import type { ReadingProbe } from "../../src/testing/reading-probe.ts";
import { createHarness, type Harness, open } from "./harness.ts";

interface Paced {
  readonly harness: Harness;
  readonly probe: ReadingProbe;
  /** Publishes to `a` in one turn. */
  readonly publish: (...texts: string[]) => void;
  readonly drained: () => void;
  readonly closed: () => void;
}

function startPaced(
  keep: "history" | "latest" | "nothing",
  maxRate: number,
  { since, delay = 0 }: { readonly since?: string; readonly delay?: number } = {},
): Paced {
  const harness = createHarness({ channels: { a: { keep } } });
  const { probe, reader } = open(harness);
  void reader.attach("a", parseSince(since), { maxRate, delay });
  reader.start("a");
  return {
    harness,
    probe,
    publish(...texts) {
      for (const text of texts) harness.publish("a", text, text[0]);
      harness.clock.turn();
    },
    drained: () => reader.drained(),
    closed: () => reader.closed(),
  };
}

/** Without the epoch, which says nothing here. */
function told(probe: ReadingProbe): string[] {
  return probe.takeLog().map((line) => line.replaceAll(/\w{12}:/g, ""));
}

describe("a maxRate", () => {
  it.each([0, -1, 0.0009, 1_001, Number.NaN, Number.POSITIVE_INFINITY, "2", null, true, {}])(
    "is a number from 0.001 to 1 000, and not %j [RATE-1]",
    (rate) => {
      expect(() => checkMaxRate(rate)).toThrow(expect.objectContaining({ code: "bad-limit" }));
    },
  );

  it.each(["0", "-1", "1e3", "0x10", " 1", "1001", "many"])("is not %j in a URL [RATE-1]", (text) => {
    expect(() => parseMaxRate(text)).toThrow(expect.objectContaining({ code: "bad-limit" }));
  });

  it("may be a fraction, and is absent where it is empty [RATE-1]", () => {
    expect([parseMaxRate("0.2"), parseMaxRate("1000"), parseMaxRate("0.001")]).toEqual([0.2, 1_000, 0.001]);
    expect([parseMaxRate(""), parseMaxRate(null), parseMaxRate(undefined)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe.each(["history", "nothing"] as const)("a reader that asked for two a second, of %s", (keep) => {
  it("is given the first message at once, and the next after half a second [RATE-2]", () => {
    const { harness, probe, publish } = startPaced(keep, 2);
    publish("a");
    expect(told(probe)).toEqual(["1:a"]);
    publish("b");
    harness.clock.advance(499);
    expect(told(probe)).toEqual([]);
    harness.clock.advance(1);
    expect(told(probe)).toEqual(["2:b"]);
  });

  it("is given the newest message, behind a skip of what lies before it, however many came [RATE-3, RATE-4]", () => {
    const { harness, probe, publish } = startPaced(keep, 2);
    publish("a", "b", "c");
    expect(told(probe)).toEqual(["skip 0 2", "3:c"]);
    for (const text of ["d", "e", "f"]) publish(text);
    harness.clock.advance(500);
    expect(told(probe)).toEqual(["skip 3 5", "6:f"]);
  });

  it("is given the last message of a burst, though nothing follows it [RATE-5]", () => {
    const { harness, probe, publish } = startPaced(keep, 0.001);
    publish("a");
    publish("b", "c");
    told(probe);
    harness.clock.advance(999_000);
    expect(told(probe).filter((line) => !line.startsWith("mark"))).toEqual([]);
    harness.clock.advance(1_000);
    expect(told(probe).filter((line) => !line.startsWith("mark"))).toEqual(["skip 1 2", "3:c"]);
  });

  it("is given, after a quiet time, no more than one at once [RATE-2]", () => {
    const { harness, probe, publish } = startPaced(keep, 2);
    harness.clock.advance(10_000);
    publish("a");
    publish("b");
    publish("c");
    expect(told(probe)).toEqual(["1:a"]);
    harness.clock.advance(500);
    expect(told(probe)).toEqual(["skip 1 2", "3:c"]);
  });

  it("hears marks where it has all there is, and never one of a message that waits [RATE-6]", () => {
    const { harness, probe, publish } = startPaced(keep, 0.01);
    publish("a");
    harness.clock.advance(21_000);
    expect(told(probe)).toEqual(["1:a", "mark 1"]);
    publish("b");
    harness.clock.advance(70_000);
    expect(told(probe)).toEqual([]);
    harness.clock.advance(60_000);
    expect(told(probe).slice(0, 2)).toEqual(["2:b", "mark 2"]);
  });

  it("whose socket is full waits for room, and is given what is newest then [RATE-3]", () => {
    const { harness, probe, publish, drained } = startPaced(keep, 2);
    probe.room = 1;
    publish("a");
    expect(told(probe)).toEqual(["1:a"]);
    publish("b");
    harness.clock.advance(5_000);
    publish("c");
    expect(told(probe)).toEqual([]);
    probe.room = 9;
    drained();
    expect(told(probe)).toEqual(["skip 1 2", "3:c"]);
  });

  it("leaves no timer behind", () => {
    const { harness, publish, closed } = startPaced(keep, 2);
    publish("a");
    const before = harness.clock.timers;
    publish("b");
    expect(harness.clock.timers).toBe(before + 1);
    closed();
    expect(harness.clock.timers).toBe(before);
  });
});

describe("a reader that asked for less of a history", () => {
  it("goes on from its position at the newest message, told what it leaves out [RATE-3, RATE-4]", () => {
    const { harness, publish } = startPaced("history", 2);
    publish("a", "b", "c", "d");
    const { probe, reader } = open(harness);
    void reader.attach("a", { at: "last", count: 3 }, { maxRate: 1, delay: 0 });
    reader.start("a");
    harness.clock.turn();
    expect(told(probe)).toEqual(["skip 1 3", "4:d"]);
  });

  it("is told no gap where what it would have skipped is gone [RATE-6]", () => {
    const harness = createHarness({ channels: { a: { retention: { count: 2 } } } });
    const { probe, reader } = open(harness);
    void reader.attach("a", undefined, { maxRate: 1, delay: 0 });
    reader.start("a");
    for (let n = 1; n <= 9; n++) {
      harness.publish("a", `${n}`);
      harness.clock.turn();
    }
    harness.clock.advance(1_000);
    expect(told(probe)).toEqual(["1:1", "skip 1 8", "9:9"]);
  });
});

describe("a reader that asked for less of the latest values", () => {
  it("is given the state at once, whatever its rate [RATE-3]", () => {
    const harness = createHarness({ channels: { a: { keep: "latest" } } });
    for (let n = 0; n < 600; n++) harness.publish("a", `${n}`, `k${n}`);
    const { probe, reader } = open(harness);
    void reader.attach("a", undefined, { maxRate: 0.001, delay: 0 });
    reader.start("a");
    harness.clock.turn();
    expect(told(probe)).toHaveLength(600);
  });

  it("is given the newest of each key that has changed, once in its time, however often they did [RATE-2, RATE-3, RATE-4]", () => {
    const { harness, probe, publish } = startPaced("latest", 1);
    publish("x1", "y1");
    expect(told(probe)).toEqual(["1:x1", "2:y1"]);
    for (let n = 2; n <= 5; n++) publish(`x${n}`, `z${n}`);
    expect(told(probe)).toEqual([]);
    harness.clock.advance(1_000);
    // Offsets left out within a batch are told by each wire, in place.
    expect(told(probe)).toEqual(["9:x5", "10:z5"]);
    expect(probe.outgoing.at(-1)?.item).toMatchObject({ is: "messages", after: 2 });
  });
});

it("a wish for less costs those who have none nothing: they are given every message", () => {
  const { harness, publish } = startPaced("history", 1);
  const { probe, reader } = open(harness);
  void reader.attach("a", undefined);
  reader.start("a");
  publish("a");
  publish("b", "c");
  expect(told(probe)).toEqual(["1:a", "2:b", "3:c"]);
});

describe("a long poll that asks for less", () => {
  it("lets its interval pass first where it goes on from a position [RATE-7]", () => {
    const { harness, probe, publish } = startPaced("history", 2, { delay: 500 });
    publish("a");
    publish("b");
    expect(told(probe)).toEqual([]);
    harness.clock.advance(500);
    expect(told(probe)).toEqual(["skip 0 1", "2:b"]);
  });
});
