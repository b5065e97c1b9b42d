import assert from "node:assert/strict";
import type { ChannelSpec, NewMessage } from "../../core/ports.ts";
import { encodeText, type Keep } from "../../protocol/message.ts";
import { formatSince, type Position, type Since } from "../../protocol/position.ts";
import { resolveSince } from "../../protocol/since.ts";
import { ModelLife } from "./model.ts";
import { type BrokerRig, channel, type Ear, HOUR, listen, MINUTE, plain, SECOND } from "./rig.ts";

const KEEPS: readonly Keep[] = ["history", "latest", "nothing"];
const STEPS = [SECOND, 4 * MINUTE, 11 * MINUTE, 40 * MINUTE, 90 * MINUTE, -SECOND, -HOUR];

/** Takes one number apart into small choices. */
class Choices {
  #rest: number;

  constructor(number: number) {
    this.#rest = number;
  }

  /** From 0 to below `count`. */
  below(count: number): number {
    const choice = this.#rest % count;
    this.#rest = Math.floor(this.#rest / count);
    return choice;
  }

  of<T>(list: readonly [T, ...T[]] | readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
}

interface Followed {
  readonly ear: Ear;
  readonly expected: { epoch: string; entry: object }[];
}

/**
 * Plays one history against a broker and the model beside it. Each number of `steps` becomes one step, so that any
 * list of numbers is a history, and a shorter list a simpler one.
 */
export async function playHistory(
  rig: BrokerRig,
  steps: readonly number[],
  can: { clock: boolean; forget: boolean },
): Promise<void> {
  const log: string[] = [];
  const player = new Player(rig, can, log);
  try {
    for (const step of steps) await player.step(new Choices(step));
    await player.compareHeard();
  } catch (error) {
    throw new Error(`The broker differs from the model after:\n  ${log.join("\n  ")}`, { cause: error });
  }
}

class Player {
  readonly #specs: readonly ChannelSpec[] = KEEPS.map((keep) =>
    channel(`model/${keep}`, {
      keep,
      retention: { count: 6, bytes: 800, age: HOUR },
      maxKeys: 3,
      idleAge: 10_000 * HOUR,
    }),
  );
  readonly #lives = new Map<string, ModelLife>();
  readonly #followed = new Map<string, Followed[]>();
  readonly #positions: Position[] = [];
  readonly #rig: BrokerRig;
  readonly #can: { clock: boolean; forget: boolean };
  readonly #log: string[];

  constructor(rig: BrokerRig, can: { clock: boolean; forget: boolean }, log: string[]) {
    this.#rig = rig;
    this.#can = can;
    this.#log = log;
  }

  async step(choices: Choices): Promise<void> {
    const kind = choices.below(10);
    const spec = choices.of(this.#specs);
    if (kind < 5) await this.#append(spec, choices);
    else if (kind < 7) await this.#read(spec, choices);
    else if (kind === 7) await this.#follow(spec, choices);
    else if (kind === 8 && this.#can.clock) await this.#advance(choices);
    else if (kind === 9 && this.#can.forget) await this.#forget(spec, choices);
    await this.#compareHeads();
  }

  async #append(spec: ChannelSpec, choices: Choices): Promise<void> {
    const messages = Array.from({ length: 1 + choices.of([0, 0, 0, 2, 6]) }, () => this.#message(choices));
    this.#log.push(`append ${spec.name} ${messages.map(show).join(" ")}`);
    const life = this.#lives.get(spec.name) ?? new ModelLife(spec);
    const before = life.all.length;
    const outcome = await this.#rig.broker.append(spec, messages);
    // Where time runs by itself the broker's word is taken for what time it was.
    const stored = outcome.is === "stored" ? outcome.results.find((result) => !result.duplicate) : undefined;
    const expected = life.append(messages, stored?.time ?? this.#rig.broker.time());
    if (outcome.is === "refused") {
      assert.deepEqual({ is: outcome.is, index: outcome.index, code: outcome.error.code }, expected);
      // A channel that a refused publish has made is there, or not: nothing was promised.
      return;
    }
    this.#lives.set(spec.name, life);
    const epoch = outcome.results[0]?.position.epoch ?? "";
    life.epoch ??= epoch;
    assert.deepEqual(
      {
        is: "stored",
        results: outcome.results.map(({ position, duplicate }) => ({ offset: position.offset, duplicate })),
      },
      expected,
    );
    assert.ok(outcome.results.every((result) => result.position.epoch === life.epoch));
    this.#positions.push(...outcome.results.map((result) => result.position));
    for (const { expected: told } of this.#followed.get(spec.name) ?? [])
      told.push(...life.all.slice(before).map((entry) => ({ epoch, entry: plain(entry) })));
  }

  #message(choices: Choices): NewMessage {
    const key = choices.of([undefined, "a", "b", "c", "d"]);
    const id = choices.of([undefined, undefined, "id-1", "id-2", "id-3", "id-4"]);
    const size = choices.of([3, 0, 40, 300]);
    const deleted = choices.below(4) === 3;
    // Same id, mostly same bytes: else nothing would ever be a duplicate.
    const text = (id !== undefined && choices.below(8) > 0 ? id : "other").padEnd(size, ".").slice(0, size);
    const age = choices.of([undefined, 0, 5 * MINUTE, 30 * MINUTE, -2 * SECOND]);
    const at = age === undefined ? undefined : this.#rig.broker.time() - age;
    return { kind: deleted ? "deleted" : "text", id, at, key, data: encodeText(deleted ? "" : text) };
  }

  async #read(spec: ChannelSpec, choices: Choices): Promise<void> {
    const since = this.#since(choices);
    const limit = { messages: choices.of([100, 1, 0, 3]), bytes: choices.of([10_000, 1, 100]) };
    this.#log.push(`read ${spec.name} since ${formatSince(since)} ${JSON.stringify(limit)}`);
    const page = await this.#rig.broker.read(spec, since, limit);
    const life = this.#lives.get(spec.name);
    if (life === undefined) {
      assert.equal(page?.head ?? 0, 0);
      return;
    }
    if (!page && this.#isBlank(spec.name, life)) return;
    assert.ok(page);
    const time = this.#rig.broker.time();
    const state = life.state(time);
    const start = resolveSince(since, state, spec.keep);
    const follows = life.kept(time).filter((entry) => entry.offset > start.position.offset);
    const { position, gap, epoch, head, remaining, entries } = page;
    assert.deepEqual(
      { position, gap, epoch, head, remaining },
      { ...start, epoch: state.epoch, head: state.head, remaining: follows.length },
    );
    assert.deepEqual(entries.map(plain), follows.slice(0, entries.length).map(plain));
    assert.ok(entries.length <= limit.messages);
    const bytes = entries.reduce((sum, entry) => sum + entry.data.byteLength, 0);
    assert.ok(bytes <= limit.bytes || entries.length === 1, "The page is too large.");
    if (limit.messages > 0 && follows.length > 0) assert.ok(entries.length > 0, "The page is empty.");
  }

  #since(choices: Choices): Since {
    const kind = choices.below(5);
    if (kind === 0) return { at: "earliest" };
    if (kind === 1) return { at: "now" };
    if (kind === 2) return { at: "last", count: choices.below(8) };
    const known = this.#positions.at(-1 - choices.below(Math.max(1, this.#positions.length)));
    const position = known ?? { epoch: "000000000000", offset: 1 };
    const shift = kind === 3 ? 0 : choices.below(8) - 4;
    return { at: "position", position: { ...position, offset: Math.max(0, position.offset + shift) } };
  }

  async #follow(spec: ChannelSpec, choices: Choices): Promise<void> {
    const followed = this.#followed.get(spec.name) ?? [];
    if (followed.length >= 2) {
      this.#log.push(`leave ${spec.name}`);
      // What it has heard up to here still counts; nothing may come any more.
      const [first] = followed.splice(choices.below(2), 1);
      if (first) await compare(first);
      first?.ear.subscription.close();
      return;
    }
    this.#log.push(`follow ${spec.name}`);
    const ear = await listen(choices.below(2) === 0 ? this.#rig.broker : this.#rig.peer, spec);
    const life = this.#lives.get(spec.name) ?? new ModelLife(spec);
    life.epoch ??= ear.subscription.head.epoch;
    this.#lives.set(spec.name, life);
    assert.deepEqual(ear.subscription.head, { epoch: life.epoch, offset: life.all.length });
    followed.push({ ear, expected: [] });
    this.#followed.set(spec.name, followed);
  }

  async #advance(choices: Choices): Promise<void> {
    const step = choices.of(STEPS);
    this.#log.push(`clock ${step}`);
    await this.#rig.advance(step);
  }

  async #forget(spec: ChannelSpec, choices: Choices): Promise<void> {
    // Seldom: else no history would get anywhere.
    if (choices.below(3) > 0) return;
    this.#log.push(`forget ${spec.name}`);
    const old = this.#lives.get(spec.name);
    await this.#rig.forget(spec.name);
    this.#lives.delete(spec.name);
    const [head] = await this.#rig.broker.heads([spec.name]);
    if (head === undefined) return;
    const life = new ModelLife(spec);
    life.epoch = head.position.epoch;
    if (old?.epoch !== undefined) assert.ok(life.epoch > old.epoch, "The epoch is not a later one.");
    this.#lives.set(spec.name, life);
  }

  async #compareHeads(): Promise<void> {
    const heads = await this.#rig.broker.heads(this.#specs.map((spec) => spec.name));
    for (const [index, spec] of this.#specs.entries()) {
      const life = this.#lives.get(spec.name);
      const head = heads[index];
      if (life === undefined) {
        assert.equal(head?.position.offset ?? 0, 0);
        continue;
      }
      if (!head && this.#isBlank(spec.name, life)) continue;
      const state = life.state(this.#rig.broker.time());
      const position = { epoch: state.epoch, offset: state.head };
      assert.deepEqual(head, { position, oldest: state.oldest });
    }
  }

  /** A channel that was never published to need not be there while nobody listens. */
  #isBlank(name: string, life: ModelLife): boolean {
    return life.all.length === 0 && (this.#followed.get(name)?.length ?? 0) === 0;
  }

  async compareHeard(): Promise<void> {
    for (const followed of this.#followed.values()) for (const one of followed) await compare(one);
  }
}

async function compare({ ear, expected }: Followed): Promise<void> {
  await ear.until(expected.length);
  assert.deepEqual(
    ear.heard.map(({ epoch, entry }) => ({ epoch, entry: plain({ ...entry, time: 0 }) })),
    expected.map(({ epoch, entry }) => ({ epoch, entry: { ...entry, time: 0 } })),
  );
}

function show({ kind, id, key, data, at }: NewMessage): string {
  return `{${[kind, id && `id ${id}`, key && `key ${key}`, `${data.byteLength} bytes`, at && `at ${at}`].filter(Boolean).join(", ")}}`;
}
