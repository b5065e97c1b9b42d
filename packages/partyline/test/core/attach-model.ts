/** What generated histories are held against: the log as it was stored, and readers as clients see them. */
import assert from "node:assert/strict";
import type { MemoryBroker } from "../../src/brokers/memory/index.ts";
import type {
  AttachAnswer,
  Broker,
  ChannelSpec,
  Connection,
  Item,
  MaybePromise,
  NewMessage,
  Outgoing,
  Reader,
} from "../../src/core/ports.ts";
import { decodeText, type Entry, type Keep } from "../../src/protocol/message.ts";
import type { Position } from "../../src/protocol/position.ts";
import { settle } from "./harness.ts";

/** What a transport does inside its next write, before that returns. */
export type Inside = "drain" | "publish" | "detach" | "close";

/** Every message that was ever stored, by channel, epoch and offset. */
export class Stored {
  readonly #texts = new Map<string, string>();

  /** Listens before anybody else. */
  listen(memory: MemoryBroker, spec: ChannelSpec): void {
    memory.subscribe(spec, (epoch, entries) => {
      for (const entry of entries)
        this.#texts.set(keyOf(spec.name, { epoch, offset: entry.offset }), textOf(entry));
    });
  }

  text(channel: string, position: Position): string | undefined {
    return this.#texts.get(keyOf(channel, position));
  }
}

function keyOf(channel: string, { epoch, offset }: Position): string {
  return `${channel} ${epoch}:${offset}`;
}

/** The first few bytes say which message it is; the rest is there to fill pages. */
export function textOf(message: Pick<NewMessage, "data"> | undefined): string {
  return decodeText(message?.data.subarray(0, 8) ?? new Uint8Array())?.trimEnd() ?? "";
}

/** The wire between a node and its broker. */
export class Wire {
  readonly #held: (() => void)[] = [];
  /** Are notifications lost? */
  deaf = false;
  readonly #slow: boolean;

  /** @param slow Do answers come only when they are let through, in the order of the calls? */
  constructor(slow: boolean) {
    this.#slow = slow;
  }

  readonly wrap = (memory: MemoryBroker): Broker => ({
    ...memory,
    append: (spec, messages) => this.#later(() => memory.append(spec, messages)),
    read: (spec, since, limit) => this.#later(() => memory.read(spec, since, limit)),
    heads: (names) => this.#later(() => memory.heads(names)),
    // A listener hears through the same wire, behind what was answered before.
    subscribe: (spec, listener) =>
      this.#later(() =>
        memory.subscribe(spec, (epoch, entries) => {
          if (!this.deaf)
            void this.#later(
              () => entries,
              (heard) => listener(epoch, heard),
            );
        }),
      ),
  });

  #later<T>(call: () => T, then: (result: T) => void = () => undefined): MaybePromise<T> {
    const result = call();
    if (!this.#slow) {
      then(result);
      return result;
    }
    return new Promise((resolve) => {
      this.#held.push(() => {
        then(result);
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

/** A reader's place in one channel, and what it holds of its state. */
interface Place {
  epoch: string;
  last: number;
  readonly state: Map<string, string>;
  /** Was it given the state from its beginning on, so that it must hold all of it? */
  whole: boolean;
  readonly pace: Pacing | undefined;
}

/** What a reader that asked for less has had. */
interface Pacing {
  /** Ms between two deliveries. */
  readonly interval: number;
  /** When the newest one began. */
  began: number;
  /** The head of the log then: what is newer belongs to the next. */
  goal: Position | undefined;
}

/** What a model reader is told by the world around it. */
interface Surroundings {
  open(connection: Connection): Reader;
  publish(channel: string): void;
  now(): number;
  /** As the broker has it. */
  head(channel: string): Position | undefined;
}

/** One client over one connection at a time: its places move only by what it is given or told. */
export class ModelReader {
  readonly #keep: Keep;
  readonly #record: Stored;
  readonly #world: Surroundings;
  #core: Reader | undefined;
  /** Attached and answered; what comes on any other channel is one too many. */
  readonly places = new Map<string, Place>();
  /** Where it was when it was last detached or cut off. */
  readonly #left = new Map<string, Place>();
  readonly #asked = new Map<string, number>();
  #asks = 0;
  inside: Inside | undefined;
  room = Number.POSITIVE_INFINITY;
  full = false;

  constructor(keep: Keep, record: Stored, world: Surroundings) {
    this.#keep = keep;
    this.#record = record;
    this.#world = world;
  }

  attach(channel: string, since: "now" | "earliest" | "last:2" | "own", maxRate: number | undefined): void {
    this.#leave(channel);
    const core = (this.#core ??= this.#world.open(this.#connect()));
    const ask = ++this.#asks;
    this.#asked.set(channel, ask);
    const own = since === "own" ? this.#left.get(channel) : undefined;
    const answered = (answer: AttachAnswer): void => {
      assert.equal(this.#asked.get(channel), ask, "an answer to an attach that was replaced");
      this.#begin(channel, { since, own, maxRate }, answer);
      core.start(channel);
    };
    const pace = maxRate === undefined ? undefined : { maxRate, delay: 0 };
    const asked = core.attach(channel, toSince(since, own), pace);
    if (asked instanceof Promise)
      asked.then(answered, (error: { code?: string }) => assert.equal(error.code, "again"));
    else answered(asked);
  }

  detach(channel: string): void {
    this.#core?.detach(channel);
    this.#leave(channel);
  }

  close(): void {
    this.#core?.closed();
    this.#core = undefined;
    this.full = false;
    for (const channel of ["a", "b"]) this.#leave(channel);
  }

  drain(): void {
    this.full = false;
    this.room = Number.POSITIVE_INFINITY;
    this.#core?.drained();
  }

  #leave(channel: string): void {
    const place = this.places.get(channel);
    if (place) this.#left.set(channel, place);
    this.places.delete(channel);
    this.#asked.delete(channel);
  }

  #begin(
    channel: string,
    { since, own, maxRate }: { since: string; own: Place | undefined; maxRate: number | undefined },
    { position, gap, head }: AttachAnswer,
  ): void {
    if (own && gap) assert.deepEqual(gap.from, { epoch: own.epoch, offset: own.last });
    if (own && !gap) assert.deepEqual(position, { epoch: own.epoch, offset: own.last });
    assert.ok(position.epoch !== head.epoch || position.offset <= head.offset, "begins above the head");
    const kept = own && !gap;
    this.places.set(channel, {
      epoch: position.epoch,
      last: position.offset,
      state: kept ? new Map(own.state) : new Map<string, string>(),
      whole: kept ? own.whole : gap !== undefined || since === "earliest",
      pace:
        maxRate === undefined ? undefined : { interval: 1_000 / maxRate, began: -Infinity, goal: undefined },
    });
  }

  #connect(): Connection {
    let corked = 0;
    const connection: Connection = {
      write: (outgoing) => this.#write(outgoing),
      cork: () => assert.equal(++corked, 1, "corked twice"),
      uncork: () => assert.equal(--corked, 0, "not corked"),
      close: (reason) => assert.fail(`closed: ${reason.code}`),
    };
    return connection;
  }

  #write({ channel, item }: Outgoing): boolean {
    const place = this.places.get(channel.name);
    assert.ok(place, `${item.is} of a channel that is not attached`);
    assert.ok(!this.full, `${item.is} into a full socket`);
    this.#apply(channel.name, place, item);
    const room = --this.room > 0;
    this.full = !room;
    this.#answerBack(channel.name);
    return room;
  }

  #answerBack(channel: string): void {
    const { inside } = this;
    this.inside = undefined;
    switch (inside) {
      case "drain":
        return this.drain();
      case "publish":
        return this.#world.publish(channel);
      case "detach":
        return this.detach(channel);
      case "close":
        return this.close();
      case undefined:
        return;
    }
  }

  #apply(channel: string, place: Place, item: Item): void {
    const here = { epoch: place.epoch, offset: place.last };
    switch (item.is) {
      case "gap":
        assert.deepEqual(item.gap.from, here);
        if (place.pace && item.gap.to.epoch !== place.epoch) place.pace.goal = undefined;
        place.epoch = item.gap.to.epoch;
        place.last = item.gap.to.offset;
        place.state.clear();
        place.whole = true;
        return;
      case "skip":
        assert.ok(this.#keep !== "history" || place.pace);
        assert.deepEqual(item.from, here);
        place.last = item.to.offset;
        return;
      case "messages":
        assert.deepEqual({ epoch: item.epoch, offset: item.after }, here);
        assert.ok(item.entries.length > 0, "an empty page");
        if (place.pace) this.#keepPace(channel, place.pace, item);
        for (const entry of item.entries) this.#take(channel, place, entry);
        return;
      case "mark":
        assert.deepEqual(item.position, here);
        return;
      case "stale":
      case "detached":
        return;
    }
  }

  /** No delivery comes too early: it is the newest message, or the pages up to the head of when it began. */
  #keepPace(
    channel: string,
    pace: Pacing,
    { epoch, after, entries }: Extract<Item, { is: "messages" }>,
  ): void {
    const { interval, began, goal } = pace;
    const now = this.#world.now();
    if (this.#keep !== "latest") assert.equal(entries.length, 1);
    else if (goal?.epoch === epoch && after < goal.offset) return;
    assert.ok(now - began >= interval, "too early");
    pace.began = now;
    pace.goal = this.#world.head(channel);
  }

  #take(channel: string, place: Place, entry: Entry): void {
    assert.ok(entry.offset > place.last, "a message again");
    if (this.#keep !== "latest" && !place.pace) assert.equal(entry.offset, place.last + 1, "a hole");
    place.last = entry.offset;
    assert.equal(textOf(entry), this.#record.text(channel, { epoch: place.epoch, offset: entry.offset }));
    if (entry.kind === "deleted") place.state.delete(entry.key ?? "");
    else place.state.set(entry.key ?? "", textOf(entry));
  }
}

function toSince(
  since: "now" | "earliest" | "last:2" | "own",
  own: Place | undefined,
): Parameters<Reader["attach"]>[1] {
  if (since === "last:2") return { at: "last", count: 2 };
  if (since !== "own") return { at: since };
  return own ? { at: "position", position: { epoch: own.epoch, offset: own.last } } : { at: "now" };
}
