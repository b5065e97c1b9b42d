import { crc32 } from "node:zlib";
import type { NewMessage } from "../../core/ports.ts";
import { PartylineError } from "../../protocol/errors.ts";
import type { EntryKind } from "../../protocol/message.ts";
import { Deque } from "./deque.ts";

/** How long a publish id is known, ms. */
export const ID_AGE: number = 10 * 60 * 1000;
/** How many ids a channel knows. */
export const ID_COUNT = 100_000;
/** Memory that an id takes beside its characters, bytes. */
const ID_BYTES = 160;

/** How far the `at` of a publish may lie after the broker's time, ms: clients know that time only nearly. */
const AHEAD_MS = 60_000;

/** A publish that has its place. */
export interface KnownId {
  readonly id: string;
  readonly offset: number;
  readonly time: number;
  /** How far the publisher's `at` is after `time`, ms: its repeats have the same `at`. */
  readonly ahead: number;
  /** Tells other bytes under the same id, also when the entry itself is long gone. */
  readonly print: number;
}

/** The publish ids of one channel, from the newest back to the end of the window. */
export class IdWindow {
  readonly #known: Map<string, KnownId> = new Map<string, KnownId>();
  readonly #order: Deque<KnownId> = new Deque<KnownId>();
  /** The latest of the ids forgotten: a publish that began no later may be one of those. */
  #forgotten = Number.NEGATIVE_INFINITY;

  #bytes = 0;

  /** Memory that the ids take. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Forgets what is older than the window. */
  trim(now: number): void {
    for (let first = this.#order.at(0); first && now - first.time >= ID_AGE; first = this.#order.at(0))
      this.#forget();
  }

  /**
   * The place of this publish: the one it got before, or else `next`, which it holds from now on, until `keep` or
   * `release`.
   *
   * @returns the refusal where the id can't be taken.
   */
  reserve(id: string, message: NewMessage, next: { offset: number; time: number }): KnownId | PartylineError {
    const print = fingerprint(message);
    const known = this.#known.get(id);
    if (known !== undefined) {
      if (known.print === print) return known;
      return new PartylineError("id-reused", `The id ${id} was used for another message of this channel.`);
    }
    const { at } = message;
    if (at !== undefined && at > next.time + AHEAD_MS) return tooFarAhead(at, next.time);
    if (at !== undefined && at <= this.#forgotten)
      return new PartylineError(
        "uncertain",
        `The publish ${id} began at ${at}; what was published up to ${this.#forgotten} is not known any more.`,
        {
          remedy: "Read the channel to see whether the message is there; publish it again only if it is not.",
        },
      );
    const { offset, time } = next;
    const reserved = { id, offset, time, ahead: Math.max(0, Math.ceil((at ?? 0) - time)), print };
    this.#known.set(id, reserved);
    return reserved;
  }

  /** The publish was stored. */
  keep(known: KnownId): void {
    this.#order.push(known);
    this.#bytes += ID_BYTES + known.id.length;
    if (this.#order.length > ID_COUNT) this.#forget();
  }

  /** Forgets all: their repeats become uncertain. */
  clear(): void {
    while (this.#order.length > 0) this.#forget();
  }

  /** The publish was not stored. */
  release(known: KnownId): void {
    this.#known.delete(known.id);
  }

  #forget(): void {
    const oldest = this.#order.shift();
    if (oldest === undefined) return;
    this.#known.delete(oldest.id);
    this.#bytes -= ID_BYTES + oldest.id.length;
    this.#forgotten = Math.max(this.#forgotten, oldest.time + oldest.ahead);
  }
}

/** It is surely not stored. Taken, its id would keep older publishes of others out for as long, once it is forgotten. */
function tooFarAhead(at: number, time: number): PartylineError {
  return new PartylineError("overloaded", `\`at\` is ${at - time} ms later than the broker's time.`, {
    remedy: "Take the time from `welcome`, and publish again after `retryAfter` seconds.",
    retryAfter: Math.ceil((at - time - AHEAD_MS) / 1_000),
  });
}

const KINDS: Readonly<Record<EntryKind, number>> = { json: 0, text: 1, binary: 2, deleted: 3 };

/**
 * A checksum is enough: it is there to find a publisher that reuses an id by mistake. Whoever makes two messages
 * collide on purpose has only kept the second of his own out of the log.
 */
function fingerprint({ kind, key, data }: NewMessage): number {
  // The bytes come first: zlib answers 0 for none of them, whatever was summed up before.
  const bytes = crc32(data);
  const sum = key === undefined ? bytes : crc32(`:${key}`, bytes);
  return (data.byteLength % 2 ** 18) * 2 ** 34 + KINDS[kind] * 2 ** 32 + sum;
}
