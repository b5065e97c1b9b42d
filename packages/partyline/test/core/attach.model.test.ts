/**
 * Generated histories against the one promise: what a reader is given is the log, once and in order, but for what it
 * is told that it missed.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "vitest";
import { OPEN_GRANTS, SERVER_GRANTS } from "../../src/core/grants.ts";
import type { ChannelSpec } from "../../src/core/ports.ts";
import type { Keep } from "../../src/protocol/message.ts";
import { type Inside, ModelReader, Stored, textOf, Wire } from "./attach-model.ts";
import { createHarness, type Harness } from "./harness.ts";

const READERS = 3;
const CHANNELS = ["a", "b"] as const;
type Name = (typeof CHANNELS)[number];

const RETENTION = { count: 5, bytes: 1_000_000, age: 2_000 };
const MAX_KEYS = 3;
/** Of which two fill a page, and three more than a batch. */
const LARGE = 30_000;

type Step =
  | { do: "publish"; channel: Name; count: number; key: string; large: boolean; by: "engine" | "broker" }
  | { do: "delete"; channel: Name; key: string }
  | { do: "turn" }
  | {
      do: "attach";
      reader: number;
      channel: Name;
      since: "now" | "earliest" | "last:2" | "own";
      maxRate: number | undefined;
    }
  | { do: "detach"; reader: number; channel: Name }
  | { do: "close"; reader: number }
  | { do: "full"; reader: number; after: number }
  | { do: "drain"; reader: number }
  | { do: "inside"; reader: number; what: Inside }
  | { do: "deaf"; deaf: boolean }
  | { do: "forget"; channel: Name }
  | { do: "wait"; ms: number }
  | { do: "answers" };

const reader = fc.nat(READERS - 1);
const channel = fc.constantFrom(...CHANNELS);
// Two more than there may be: some publishes are refused, and some tombstones dropped for others.
const key = fc.constantFrom("k", "l", "m", "n", "o");

const weighted: readonly [number, fc.Arbitrary<Step>][] = [
  [
    8,
    fc.record({
      do: fc.constant("publish"),
      channel,
      count: fc.integer({ min: 1, max: 4 }),
      key,
      large: fc.boolean(),
      by: fc.constantFrom("engine", "broker"),
    }),
  ],
  [2, fc.record({ do: fc.constant("delete"), channel, key })],
  [5, fc.record({ do: fc.constant("turn") })],
  [
    6,
    fc.record({
      do: fc.constant("attach"),
      reader,
      channel,
      since: fc.constantFrom("now", "earliest", "last:2", "own"),
      maxRate: fc.constantFrom(undefined, undefined, 0.5, 20),
    }),
  ],
  [1, fc.record({ do: fc.constant("detach"), reader, channel })],
  [1, fc.record({ do: fc.constant("close"), reader })],
  [2, fc.record({ do: fc.constant("full"), reader, after: fc.integer({ min: 1, max: 3 }) })],
  [3, fc.record({ do: fc.constant("drain"), reader })],
  [
    2,
    fc.record({
      do: fc.constant("inside"),
      reader,
      what: fc.constantFrom("drain", "publish", "detach", "close"),
    }),
  ],
  [1, fc.record({ do: fc.constant("deaf"), deaf: fc.boolean() })],
  [1, fc.record({ do: fc.constant("forget"), channel })],
  [1, fc.record({ do: fc.constant("wait"), ms: fc.constantFrom(1, 500, 3_000, 41_000) })],
  [3, fc.record({ do: fc.constant("answers") })],
];
const steps = fc.array(fc.oneof(...weighted.map(([weight, arbitrary]) => ({ weight, arbitrary }))), {
  maxLength: 60,
  size: "max",
});

class World {
  readonly harness: Harness;
  readonly wire: Wire;
  readonly readers: readonly ModelReader[];
  readonly #keep: Keep;
  #published = 0;

  constructor(keep: Keep, slow: boolean) {
    const record = new Stored();
    this.#keep = keep;
    this.wire = new Wire(slow);
    const definition = { keep, retention: RETENTION, maxKeys: MAX_KEYS };
    this.harness = createHarness({ channels: { a: definition, b: definition } }, (memory) =>
      this.wire.wrap(memory),
    );
    for (const name of CHANNELS) record.listen(this.harness.memory, this.#spec(name));
    this.readers = Array.from(
      { length: READERS },
      () =>
        new ModelReader(keep, record, {
          open: (connection) => this.harness.engine.open(connection, OPEN_GRANTS),
          publish: (name) => this.publish(name, "k", false),
          now: () => this.harness.clock.now(),
          head: (name) => this.harness.memory.heads([name])[0]?.position,
        }),
    );
  }

  publish(name: string, of: string, large: boolean): void {
    const request = { channel: name, kind: "text", data: this.#next(large), key: of } as const;
    // A refusal stores nothing, and is another test's matter.
    const refused = (error: unknown): void => assert.equal((error as { code: string }).code, "too-many-keys");
    try {
      const published = this.harness.engine.publish(request, SERVER_GRANTS);
      if (published instanceof Promise) published.catch(refused);
    } catch (error) {
      refused(error);
    }
  }

  /** Several in one step, with no answer for this node. */
  publishElsewhere(name: string, of: string, count: number, large: boolean): void {
    const messages = Array.from({ length: count }, () => ({
      kind: "text" as const,
      id: undefined,
      at: undefined,
      key: of,
      data: this.#next(large),
    }));
    this.harness.memory.append(this.#spec(name), messages);
  }

  #next(large: boolean): Uint8Array {
    const data = new Uint8Array(large ? LARGE : 8).fill(0x20);
    new TextEncoder().encodeInto(`m${++this.#published}`, data);
    return data;
  }

  #spec(name: string): ChannelSpec {
    return { name, keep: this.#keep, retention: RETENTION, maxKeys: MAX_KEYS, idleAge: 86_400_000 };
  }

  async step(step: Step): Promise<void> {
    const { harness } = this;
    const model = "reader" in step ? this.readers[step.reader] : undefined;
    switch (step.do) {
      case "publish":
        if (step.by === "broker") this.publishElsewhere(step.channel, step.key, step.count, step.large);
        else for (let n = 0; n < step.count; n++) this.publish(step.channel, step.key, step.large);
        return;
      case "delete":
        if (this.#keep === "latest") void harness.engine.remove(step.channel, step.key, SERVER_GRANTS);
        return;
      case "turn":
        return harness.clock.turn();
      case "attach":
        return model?.attach(step.channel, step.since, step.maxRate);
      case "detach":
        return model?.detach(step.channel);
      case "close":
        return model?.close();
      case "full":
        if (model) model.room = step.after;
        return;
      case "drain":
        return model?.drain();
      case "inside":
        if (model) model.inside = step.what;
        return;
      case "deaf":
        this.wire.deaf = step.deaf;
        return;
      case "forget":
        return harness.memory.forget(step.channel);
      case "wait":
        return harness.clock.advance(step.ms);
      case "answers":
        return this.wire.arrive();
    }
  }

  /** In the end everybody has all there is. */
  async end(): Promise<void> {
    this.wire.deaf = false;
    for (const model of this.readers) model.inside = undefined;
    // What is stored for certain, also where there are as many keys as may be.
    for (const name of CHANNELS)
      if (this.#keep === "latest") void this.harness.engine.remove(name, "k", SERVER_GRANTS);
      else this.publish(name, "k", false);
    for (let round = 0; round < 8; round++) {
      for (const model of this.readers) model.drain();
      await this.wire.arrive();
      // Long enough, in all, for those that want a message each other second.
      this.harness.clock.advance(500);
    }
    for (const name of CHANNELS) {
      const [head] = this.harness.memory.heads([name]);
      const state = this.#state(name);
      for (const model of this.readers) {
        const place = model.places.get(name);
        if (!place) continue;
        assert.deepEqual({ epoch: place.epoch, offset: place.last }, head?.position);
        if (this.#keep === "latest" && place.whole) assert.deepEqual(place.state, state);
      }
    }
    for (const model of this.readers) model.close();
    await this.harness.engine.close();
    assert.equal(this.harness.clock.timers, 0);
  }

  #state(name: string): Map<string, string> {
    const page = this.harness.memory.read(this.#spec(name), { at: "earliest" }, { messages: 99, bytes: 1e9 });
    const values = (page?.entries ?? []).filter((entry) => entry.kind !== "deleted");
    return new Map(values.map((entry) => [entry.key ?? "", textOf(entry)]));
  }
}

async function play(history: readonly Step[], keep: Keep, slow: boolean): Promise<void> {
  const world = new World(keep, slow);
  for (const step of history) await world.step(step);
  await world.end();
}

describe.each(["history", "latest", "nothing"] as const)(
  "attach and catch-up on channels that keep %s",
  (keep) => {
    it("give each reader the log, once and in order, or tell what is missing [ATT-1] [ATT-4] [WIRE-10] [RATE-2] [RATE-3] [RATE-4] [RATE-5]", async () => {
      await fc.assert(
        fc.asyncProperty(steps, (history) => play(history, keep, false)),
        { numRuns: 1_000 },
      );
    });

    it("do so over a broker whose answers take their time", async () => {
      await fc.assert(
        fc.asyncProperty(steps, (history) => play(history, keep, true)),
        { numRuns: 1_000 },
      );
    });
  },
);
