import { describe, expect, it } from "vitest";
import { createMemoryBroker, type MemoryBroker } from "../brokers/memory/memory-broker.ts";
import type { AppendOutcome } from "../core/ports.ts";
import { type BrokerSuiteOptions, brokerSuite } from "./broker-suite.ts";

interface Run {
  readonly failed: string[];
  readonly passed: string[];
  readonly skipped: string[];
}

/** Runs the suite as a test runner would, and writes down how each test ends. */
async function run(
  spoil: (broker: MemoryBroker) => Partial<MemoryBroker>,
  options: Partial<BrokerSuiteOptions> = {},
): Promise<Run> {
  const tests: { name: string; body: () => void | Promise<void> }[] = [];
  const skipped: string[] = [];
  const declare = (name: string, body: () => void | Promise<void>): void => void tests.push({ name, body });
  const skip = (name: string): void => void skipped.push(name);
  brokerSuite(
    { describe: (_name, body) => body(), it: Object.assign(declare, { skip }) },
    {
      name: "spoiled",
      create() {
        let clock = Date.UTC(2026, 10, 23);
        const good = createMemoryBroker({ now: () => clock });
        return {
          broker: { ...good, ...spoil(good) },
          advance: (milliseconds) => void (clock += milliseconds),
          forget: (name) => good.forget(name),
        };
      },
      ...options,
    },
  );
  const result: Run = { failed: [], passed: [], skipped };
  for (const { name, body } of tests) {
    try {
      await body();
      result.passed.push(name);
    } catch {
      result.failed.push(name);
    }
  }
  return result;
}

const MODEL =
  "answers generated histories of publishing, reading, following and losing as the model does [POS-4]";

/** One fault each, small enough to be made by somebody who means well. */
const FAULTS: Readonly<Record<string, (broker: MemoryBroker) => Partial<MemoryBroker>>> = {
  "tells a repeat as new": (good) => ({
    append(spec, messages): AppendOutcome {
      const outcome = good.append(spec, messages);
      if (outcome.is === "refused") return outcome;
      return { is: "stored", results: outcome.results.map((result) => ({ ...result, duplicate: false })) };
    },
  }),
  "stores what stands before the refused message": (good) => ({
    append(spec, messages) {
      const outcome = good.append(spec, messages);
      if (outcome.is === "refused") good.append(spec, messages.slice(0, outcome.index));
      return outcome;
    },
  }),
  "ignores `at`": (good) => ({
    append: (spec, messages) =>
      good.append(
        spec,
        messages.map((message) => ({ ...message, at: undefined })),
      ),
  }),
  "reads inclusively": (good) => ({
    read: (spec, since, limit) =>
      good.read(
        spec,
        since.at === "position" && since.position.offset > 0
          ? {
              at: "position",
              position: { epoch: since.position.epoch, offset: since.position.offset - 1 },
            }
          : since,
        limit,
      ),
  }),
  "keeps one message too many": (good) => ({
    append: (spec, messages) =>
      good.append({ ...spec, retention: { ...spec.retention, count: spec.retention.count + 1 } }, messages),
  }),
  "says nothing of a gap": (good) => ({
    read(spec, since, limit) {
      const page = good.read(spec, since, limit);
      return page && { ...page, gap: undefined };
    },
  }),
  "makes a channel by reading": (good) => ({
    read(spec, since, limit) {
      good.subscribe(spec, () => undefined);
      return good.read(spec, since, limit);
    },
  }),
  "tells listeners one message at a time, newest first": (good) => ({
    subscribe: (spec, listener) =>
      good.subscribe(spec, (epoch, entries) => {
        for (const entry of entries.toReversed()) listener(epoch, [entry]);
      }),
  }),
};

describe("the broker suite", () => {
  it("passes a broker that keeps its promises, also without a property testing library", async () => {
    const { failed, passed, skipped } = await run(() => ({}));
    expect(failed).toEqual([]);
    expect(skipped).toEqual([]);
    expect(passed).toContain(MODEL);
  });

  it.for(Object.keys(FAULTS))("fails a broker that %s", async (fault) => {
    const { failed } = await run(FAULTS[fault] ?? (() => ({})));
    expect(failed.filter((name) => name !== MODEL)).not.toEqual([]);
    // A refused publish may make a channel too, so the model can't tell.
    expect(failed.includes(MODEL)).toBe(fault !== "makes a channel by reading");
  });

  it("skips by name, and with the reason, what can't be done to a broker", async () => {
    const { failed, skipped } = await run(() => ({}), {
      lacks: { clock: "it has its own", forget: "no flush" },
    });
    expect(failed).toEqual([]);
    expect(skipped).toContain(
      "never lets time go back within an epoch, whatever the clock does [MSG-7] (it has its own)",
    );
    expect(skipped).toContain(
      "begins later epochs also while the clock stands still or goes back [POS-3] (it has its own; no flush)",
    );
  });

  it("asks for the means that a test needs", async () => {
    const { failed } = await run(() => ({}), { create: () => ({ broker: createMemoryBroker() }) });
    expect(failed).toContain("never lets time go back within an epoch, whatever the clock does [MSG-7]");
    expect(failed).not.toContain("keeps the newest messages up to the count [KEEP-2]");
  });
});
