/**
 * Generated histories against the one promise: what a reader is given is the log, once and in order, but for what it
 * is told that it missed.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OPEN_GRANTS } from "../../src/core/grants.ts";
import type { AttachAnswer, Broker, ChannelSpec, Item, MaybePromise, Reader } from "../../src/core/ports.ts";
import type { MemoryBroker } from "../../src/brokers/memory/index.ts";
import { type Keep, decodeText } from "../../src/protocol/message.ts";
import { parseSince } from "../../src/protocol/position.ts";
import { createReadingProbe, type ReadingProbe } from "../../src/testing/reading-probe.ts";
import { createHarness } from "./harness.ts";

const READERS = 3;

type Step =
  | { readonly do: "publish"; readonly count: number; readonly key: string }
  | { readonly do: "turn" }
  | { readonly do: "attach"; readonly reader: number; readonly since: "now" | "earliest" | "last:2" | "own" }
  | { readonly do: "full"; readonly reader: number; readonly after: number }
  | { readonly do: "drain"; readonly reader: number }
  | { readonly do: "forget" }
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "answers" };

const reader = fc.nat(READERS - 1);
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant("publish"),
        count: fc.integer({ min: 1, max: 4 }),
        key: fc.constantFrom("a", "b"),
      }),
    },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("turn") }) },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant("attach"),
        reader,
        since: fc.constantFrom("now", "earliest", "last:2", "own"),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant("full"), reader, after: fc.integer({ min: 1, max: 3 }) }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("drain"), reader }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("forget") }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("wait"), ms: fc.integer({ min: 1, max: 3_000 }) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("answers") }) },
  ) as fc.Arbitrary<Step>,
  { maxLength: 60 },
);

/** One reader as the client sees it: `last` moves only by what it was given or told. */
class ModelReader {
  readonly probe: ReadingProbe = createReadingProbe();
  readonly given: string[] = [];
  core: Reader | undefined;
  epoch = "";
  last = 0;
  attached = false;

  readonly log: ReadonlyMap<string, readonly string[]>;
  readonly keep: Keep;

  constructor(log: ReadonlyMap<string, readonly string[]>, keep: Keep) {
    this.log = log;
    this.keep = keep;
  }

  answered(answer: AttachAnswer): void {
    this.epoch = answer.position.epoch;
    this.last = answer.position.offset;
    this.attached = true;
  }

  /** Applies what came and checks it against the log that the oracle kept. */
  take(): void {
    for (const { item } of this.probe.outgoing.splice(0)) this.#apply(item);
  }

  #apply(item: Item): void {
    if (item.is === "gap") {
      expect(item.gap.from).toEqual({ epoch: this.epoch, offset: this.last });
      this.epoch = item.gap.to.epoch;
      this.last = item.gap.to.offset;
    } else if (item.is === "skip") {
      expect(this.keep).not.toBe("history");
      expect(item.from).toEqual({ epoch: this.epoch, offset: this.last });
      this.last = item.to.offset;
    } else if (item.is === "messages") {
      expect(item.epoch).toBe(this.epoch);
      expect(item.after).toBe(this.last);
      for (const entry of item.entries) {
        expect(entry.offset).toBeGreaterThan(this.last);
        if (this.keep !== "latest") expect(entry.offset).toBe(this.last + 1);
        expect(decodeText(entry.data)).toBe(this.log.get(this.epoch)?.[entry.offset - 1]);
        this.last = entry.offset;
      }
    } else if (item.is === "mark") {
      // A node that has not heard of the reader's epoch yet says what it knows; readers drop it by its epoch.
      if (item.position.epoch === this.epoch) expect(item.position.offset).toBeLessThanOrEqual(this.last);
      else expect(item.position.epoch < this.epoch).toBe(true);
    }
  }
}

/** Answers of a broker that is elsewhere: they come when they are let through, in the order of the calls. */
class Distance {
  #held: (() => void)[] = [];

  wrap = (memory: MemoryBroker): Broker => ({
    ...memory,
    append: (spec, messages) => this.#later(() => memory.append(spec, messages)),
    read: (spec, since, limit) => this.#later(() => memory.read(spec, since, limit)),
    // A listener hears through the same wire, behind what was answered before.
    subscribe: (spec, listener) =>
      this.#later(() =>
        memory.subscribe(spec, (epoch, entries) => void this.#later(() => listener(epoch, entries))),
      ),
  });

  #later<T>(call: () => T): Promise<T> {
    const result = call();
    return new Promise((resolve) => {
      this.#held.push(() => {
        resolve(result);
      });
    });
  }

  async arrive(): Promise<void> {
    while (this.#held.length > 0) {
      this.#held.shift()?.();
      await settle();
    }
  }
}

async function settle(): Promise<void> {
  for (let tick = 0; tick < 12; tick++) await Promise.resolve();
}

async function play(history: readonly Step[], keep: Keep, distance?: Distance): Promise<void> {
  const harness = createHarness(
    { channels: { c: { keep, retention: { count: 5, age: 2_000 } } } },
    distance?.wrap,
  );
  const log = new Map<string, string[]>();
  const readers = Array.from({ length: READERS }, () => new ModelReader(log, keep));
  let published = 0;

  const publish = (key: string): void => {
    const text = `m${++published}`;
    const outcome = harness.memory.append(spec(keep), [
      { kind: "text", data: new TextEncoder().encode(text), id: undefined, at: undefined, key },
    ]);
    if (outcome.is !== "stored" || !outcome.results[0]) throw new Error("not stored");
    const { epoch, offset } = outcome.results[0].position;
    const entries = log.get(epoch) ?? [];
    log.set(epoch, entries);
    entries[offset - 1] = text;
  };

  const attach = async (model: ModelReader, since: string): Promise<void> => {
    model.take();
    model.core ??= harness.engine.open(model.probe, OPEN_GRANTS);
    const core = model.core;
    const own = model.attached && since === "own" ? `${model.epoch}:${model.last}` : undefined;
    const asked: MaybePromise<AttachAnswer> = core.attach(
      "c",
      parseSince(own ?? (since === "own" ? "now" : since)),
    );
    // What was on its way for the earlier attach is dropped, as a client does until the reply.
    if (asked instanceof Promise) await distance?.arrive();
    const answer = await asked;
    model.probe.outgoing.length = 0;
    model.answered(answer);
    if (own !== undefined && answer.gap)
      expect(`${answer.gap.from.epoch}:${answer.gap.from.offset}`).toBe(own);
    if (own !== undefined && !answer.gap) expect(answer.position).toEqual(parseSinceOf(own));
    core.start("c");
  };

  for (const step of history) {
    switch (step.do) {
      case "publish":
        for (let count = 0; count < step.count; count++) publish(step.key);
        break;
      case "turn":
        harness.clock.turn();
        break;
      case "attach":
        await attach(readers[step.reader] as ModelReader, step.since);
        break;
      case "full":
        (readers[step.reader] as ModelReader).probe.room = step.after;
        break;
      case "drain":
        (readers[step.reader] as ModelReader).probe.room = Number.POSITIVE_INFINITY;
        readers[step.reader]?.core?.drained();
        break;
      case "forget":
        harness.memory.forget("c");
        break;
      case "wait":
        harness.clock.advance(step.ms);
        break;
      case "answers":
        await distance?.arrive();
        break;
    }
    for (const model of readers) model.take();
  }

  // In the end everybody has all there is.
  publish("a");
  for (let round = 0; round < 4; round++) {
    for (const model of readers) {
      model.probe.room = Number.POSITIVE_INFINITY;
      model.core?.drained();
    }
    await distance?.arrive();
    harness.clock.turn();
  }
  const [head] = harness.memory.heads(["c"]);
  for (const model of readers) {
    model.take();
    if (model.attached) expect({ epoch: model.epoch, offset: model.last }).toEqual(head?.position);
  }
}

function parseSinceOf(text: string): unknown {
  const since = parseSince(text);
  return since?.at === "position" ? since.position : undefined;
}

function spec(keep: Keep): ChannelSpec {
  return {
    name: "c",
    keep,
    retention: { count: 5, bytes: 1_000_000, age: 2_000 },
    maxKeys: 10,
    idleAge: 86_400_000,
  };
}

describe.each(["history", "latest", "nothing"] as const)(
  "attach and catch-up on a channel that keeps %s",
  (keep) => {
    it("gives each reader the log, once and in order, or tells what is missing [ATT-1] [ATT-4]", async () => {
      await fc.assert(
        fc.asyncProperty(steps, (history) => play(history, keep)),
        { numRuns: 400 },
      );
    });

    it("does so over a broker whose answers take their time", async () => {
      await fc.assert(
        fc.asyncProperty(steps, (history) => play(history, keep, new Distance())),
        { numRuns: 400 },
      );
    });
  },
);
