/** Publishers as the protocol wants them, over connections that die with lines still on their way. */
import assert from "node:assert/strict";
import type { AppendOutcome, Broker, Conversation, NewMessage } from "../../src/core/ports.ts";
import type { MemoryBroker } from "../../src/brokers/memory/index.ts";
import { PartylineError } from "../../src/protocol/errors.ts";
import { decodeText } from "../../src/protocol/message.ts";
import { createReadingProbe, type ReadingProbe } from "../../src/testing/reading-probe.ts";
import { type Harness, settle } from "./harness.ts";

/** What a broker makes of an append that takes its time. */
export type Fate = "stored" | "stored, not told" | "lost";

/** Refuses what is marked so, and stores or loses the rest when the test says so. */
export class Appends {
  readonly #held: ((fate: Fate) => void)[] = [];
  /** Most appends of one channel that were under way at once. */
  overlap = 0;
  readonly #underWay = new Map<string, number>();

  readonly wrap = (memory: MemoryBroker): Broker => ({
    ...memory,
    append: (spec, messages) => {
      const count = (this.#underWay.get(spec.name) ?? 0) + 1;
      this.#underWay.set(spec.name, count);
      this.overlap = Math.max(this.overlap, count);
      return new Promise<AppendOutcome>((resolve, reject) => {
        this.#held.push((fate) => {
          this.#underWay.set(spec.name, count - 1);
          const index = messages.findIndex(isRefused);
          const error = new PartylineError("invalid", "Refused by the broker.");
          if (fate !== "lost" && index >= 0) return resolve({ is: "refused", index, error });
          const outcome = fate === "lost" ? undefined : memory.append(spec, messages);
          if (outcome && fate === "stored") resolve(outcome);
          else reject(new Error("no answer"));
        });
      });
    },
  });

  async next(fate: Fate): Promise<void> {
    this.#held.shift()?.(fate);
    await settle();
  }

  get waiting(): number {
    return this.#held.length;
  }
}

function isRefused({ data }: NewMessage): boolean {
  return decodeText(data)?.includes("refused by broker") ?? false;
}

/** How a message fares that nothing goes wrong with but itself. */
export type Nature = "good" | "refused by broker" | "too large for node";

interface Pending {
  readonly count: number;
  readonly id: string;
  readonly data: string;
  readonly nature: Nature;
  /** Of its newest attempt. */
  n: number;
}

/** One connection: what was said may still be on its way when the client has given it up. */
class Line {
  readonly probe: ReadingProbe = createReadingProbe();
  readonly #conversation: Conversation;
  readonly #said: string[] = [];

  constructor(harness: Harness) {
    const credentials = { token: undefined, header: () => undefined };
    this.#conversation = harness.engine.converse(this.probe, { mode: "full", credentials });
    this.#said.push('{"t":"hello","v":1}');
  }

  say(frame: unknown): void {
    this.#said.push(JSON.stringify(frame));
  }

  /** Lets the next few lines reach the server. */
  carry(count: number): void {
    for (const line of this.#said.splice(0, count)) this.#conversation.receive(line);
  }

  /** The server learns that the client is gone; what had not arrived by then never does. */
  cut(): void {
    this.#said.length = 0;
    this.#conversation.closed();
  }
}

/** A client that publishes to one channel, as PUB-9 to PUB-12 have it. */
export class Publisher {
  readonly #harness: Harness;
  readonly #name: string;
  readonly #at: number;
  #line: Line;
  /** Given up, but perhaps not yet known to be so by the server. */
  #old: Line[] = [];
  #pending: Pending[] = [];
  #count = 0;
  #n = 0;
  /** Does it wait before it sends all again? */
  #paused = false;
  /** What it was told is stored, by the order of publishing. */
  readonly #kept = new Set<number>();

  constructor(harness: Harness, name: string) {
    this.#harness = harness;
    this.#name = name;
    this.#at = harness.engine.time();
    this.#line = new Line(harness);
  }

  /** The ids that must be in the log, in their order. */
  get expected(): string[] {
    return [...this.#kept].sort((one, other) => one - other).map((count) => `${this.#name}-${count}`);
  }

  get done(): boolean {
    return this.#pending.length === 0;
  }

  publish(nature: Nature): void {
    const count = ++this.#count;
    const id = `${this.#name}-${count}`;
    const data = nature === "too large for node" ? `${id} ${"x".repeat(200)}` : `${id} ${nature}`;
    const pending = { count, id, data, nature, n: 0 };
    this.#pending.push(pending);
    if (!this.#paused) this.#send(pending, false);
  }

  #send(pending: Pending, first: boolean): void {
    pending.n = ++this.#n;
    const { n, id, data } = pending;
    const frame = { t: "publish", n, channel: "a", id, at: this.#at, kind: "text", data };
    this.#line.say(first ? { ...frame, first } : frame);
  }

  #sendAll(first: boolean): void {
    for (const [index, pending] of this.#pending.entries()) this.#send(pending, first && index === 0);
  }

  carry(count: number): void {
    this.#line.carry(count);
  }

  /** What was said on an older connection arrives after all. */
  carryOld(count: number): void {
    this.#old[0]?.carry(count);
  }

  /** What it was told to wait for has passed. */
  goOn(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#sendAll(true);
  }

  reconnect(): void {
    this.#paused = false;
    this.#old.push(this.#line);
    this.#line = new Line(this.#harness);
    this.#sendAll(false);
  }

  cutOld(): void {
    this.#old.shift()?.cut();
  }

  /** Reads the next few answers of the newest connection; late ones of older ones settle what they name. */
  hear(count: number): void {
    for (const frame of this.#line.probe.replies.splice(0, count)) {
      if (frame.t === "result") this.#stored(frame.n);
      else if (frame.t === "error") this.#failed(frame.n, frame.code);
    }
  }

  #stored(n: number): void {
    const index = this.#pending.findIndex((pending) => pending.n === n);
    const [pending] = index < 0 ? [] : this.#pending.splice(index, 1);
    if (!pending) return;
    assert.equal(pending.nature, "good");
    this.#kept.add(pending.count);
  }

  /** Only an answer to the newest attempt makes it send again. */
  #failed(n: number | undefined, code: string): void {
    const index = this.#pending.findIndex((pending) => pending.n === n);
    const pending = this.#pending[index];
    if (!pending) return;
    if (code === "invalid" || code === "too-large") {
      assert.notEqual(pending.nature, "good", `${pending.id} was refused ${code}`);
      this.#pending.splice(index, 1);
      if (!this.#paused) this.#sendAll(true);
      return;
    }
    assert.ok(["uncertain", "again", "overloaded", "rate-limited"].includes(code), code);
    // Not at once: it would only ever hear of attempts that it has given up.
    this.#paused = true;
  }
}
