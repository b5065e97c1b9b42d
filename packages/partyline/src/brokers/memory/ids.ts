import { crc32 } from "node:zlib";
import type { NewMessage } from "../../core/ports.ts";
import { PartylineError } from "../../protocol/errors.ts";
import type { EntryKind } from "../../protocol/message.ts";
import { Deque } from "./deque.ts";

/** How long a publish id is known, ms. */
export const ID_AGE: number = 10 * 60 * 1000;
/** How many ids a channel knows. */
export const ID_COUNT = 100_000;

/** A publish that has its place. */
export interface KnownId {
  readonly id: string;
  readonly offset: number;
  readonly time: number;
  /** Tells other bytes under the same id, also when the entry itself is long gone. */
  readonly print: number;
}

/** The publish ids of one channel, from the newest back to the end of the window. */
export class IdWindow {
  readonly #known: Map<string, KnownId> = new Map<string, KnownId>();
  readonly #order: Deque<KnownId> = new Deque<KnownId>();
  /** Time of the newest id forgotten: whoever began to publish before may be one of those. */
  #forgotten = Number.NEGATIVE_INFINITY;

  get size(): number {
    return this.#known.size;
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
    if (message.at !== undefined && message.at <= this.#forgotten)
      return new PartylineError(
        "uncertain",
        `The publish ${id} began at ${message.at}; what was published up to ${this.#forgotten} is not known any more.`,
        {
          remedy: "Read the channel to see whether the message is there; publish it again only if it is not.",
        },
      );
    const reserved = { id, offset: next.offset, time: next.time, print };
    this.#known.set(id, reserved);
    return reserved;
  }

  /** The publish was stored. */
  keep(known: KnownId): void {
    this.#order.push(known);
    if (this.#order.length > ID_COUNT) this.#forget();
  }

  /** The publish was not stored. */
  release(known: KnownId): void {
    this.#known.delete(known.id);
  }

  #forget(): void {
    const oldest = this.#order.shift();
    if (oldest === undefined) return;
    this.#known.delete(oldest.id);
    this.#forgotten = oldest.time;
  }
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
