import type { PartylineError } from "../../protocol/errors.ts";
import type { Entry, EntryKind, Keep } from "../../protocol/message.ts";
import type { Position, Since } from "../../protocol/position.ts";
import type { Start } from "../../protocol/since.ts";
import type { MaybePromise } from "./maybe-promise.ts";

/** How much of a channel is kept; the bound reached first drops the oldest. */
export interface Retention {
  /** Messages. */
  readonly count: number;
  /** Bytes: data, the characters of id and key, and 100 for each message (`entryBytes`). */
  readonly bytes: number;
  /** Milliseconds; nothing older is ever read. */
  readonly age: number;
}

/** What a broker needs to know of a channel; told with each call, so that brokers keep no definitions. */
export interface ChannelSpec {
  readonly name: string;
  readonly keep: Keep;
  readonly retention: Retention;
  /** Most keys of a `latest` channel. */
  readonly maxKeys: number;
  /** How long an idle channel's epoch and offset outlive its last message, ms. */
  readonly idleAge: number;
}

/** A message on its way into the log. */
export interface NewMessage {
  readonly kind: EntryKind;
  readonly id: string | undefined;
  /** First attempt, ms by the broker's clock; `undefined` where the publisher can't tell (plain `POST`). */
  readonly at: number | undefined;
  readonly key: string | undefined;
  /**
   * Bytes that nobody writes to again; they may be a view into a receive chunk. A broker that keeps them in memory
   * copies them, so that a message of 100 bytes does not pin a chunk of 64 KiB; what listeners and `read` are given
   * is then the copy. Callers need not copy.
   */
  readonly data: Uint8Array;
}

/** A message that is stored, now or by an earlier publish of the same id. */
export interface Appended {
  readonly position: Position;
  readonly time: number;
  readonly duplicate: boolean;
}

/**
 * Either all messages are stored and each has its result, in order; or the one at `index` is refused and nothing
 * of the batch is stored.
 */
export type AppendOutcome =
  | { readonly is: "stored"; readonly results: readonly Appended[] }
  | { readonly is: "refused"; readonly index: number; readonly error: PartylineError };

/** A piece of the log: `entries` in offset order, from just after `start.position`. */
export interface Page extends Start {
  readonly entries: readonly Entry[];
  readonly epoch: string;
  /** Offset of the newest message of the channel, 0 where there was none. */
  readonly head: number;
  /** How many kept messages follow `start.position`, those in `entries` included. */
  readonly remaining: number;
}

/** The first bound reached ends a page; it holds at least one message where there is one. `bytes` counts data alone. */
export interface PageLimit {
  readonly messages: number;
  readonly bytes: number;
}

export interface Head {
  readonly position: Position;
  /** Offset of the oldest message kept, `head + 1` where none is. */
  readonly oldest: number;
}

/**
 * Receives what a channel's log gets, in offset order, each entry once, from the moment of `subscribe` on. An empty
 * batch says that the log was shortened out of turn: what a node holds of it besides is no longer what is kept.
 */
export type AppendListener = (epoch: string, entries: readonly Entry[]) => void;

export interface Subscription {
  /** The head at the moment of subscribing: what comes later goes to the listener. */
  readonly head: Position;
  close(): void;
}

/** What a broker promises beyond the port, as data: core and docs read it, nobody asks for a class. */
export interface BrokerCapabilities {
  readonly name: string;
  /** What survives when `append` has answered. */
  readonly stored: "memory" | "disk" | "replicated";
  /** May several servers share it? */
  readonly shared: boolean;
}

/**
 * Keeps messages in order and carries them between servers.
 *
 * - **Order.** Per channel there is one order, the offsets, 1, 2, 3 … without a hole within an epoch. Every
 *   listener of every server gets it in that order. Once an offset was acknowledged or delivered it never names
 *   another message of its epoch; a broker that can't be sure begins a new, later one.
 * - **Atomic.** Storing a batch, deduplicating its ids and handing it to the listeners is one step per channel.
 *   Nothing reaches a listener before it is stored.
 * - **Once.** An id is stored once per channel within the window (10 minutes, 100 000 ids): a repeat gets the same
 *   position, `duplicate: true`; other bytes under it are refused `id-reused`. The broker remembers an id by the later
 *   of the time of storing and its `at`. An unknown id whose `at` is not later than the latest id forgotten is refused
 *   `uncertain`; one whose `at` is more than 60 s after the broker's time, `overloaded`.
 * - **Failure.** `append` that throws or rejects means *uncertain*: stored or not, nobody knows. A refusal is an
 *   outcome, not a throw, and stores nothing.
 * - **Callers.** Core has at most one `append` per channel under way. The other calls may overlap anything.
 *
 * @example The smallest broker that keeps the order (no ids, no bounds; see `brokers/memory` for the rest).
 * ```ts
 * const logs = new Map<string, { entries: Entry[]; listeners: Set<AppendListener> }>();
 * function append(channel: ChannelSpec, messages: readonly NewMessage[]): AppendOutcome {
 *   const log = logs.get(channel.name) ?? open(channel.name);
 *   const entries = messages.map((message, index) => ({ ...message, offset: log.entries.length + index + 1, time: Date.now() }));
 *   log.entries.push(...entries);
 *   for (const listener of log.listeners) listener(EPOCH, entries);
 *   return { is: "stored", results: entries.map(({ offset, time }) => ({ position: { epoch: EPOCH, offset }, time, duplicate: false })) };
 * }
 * ```
 */
export interface Broker {
  readonly capabilities: BrokerCapabilities;
  /** Stores the batch (creating the channel) and hands it to all listeners. */
  append(channel: ChannelSpec, messages: readonly NewMessage[]): MaybePromise<AppendOutcome>;
  /**
   * Answers where `since` starts, and what follows. Never creates a channel: `undefined` where there is none.
   * With `limit.messages` 0 it answers the start alone.
   */
  read(channel: ChannelSpec, since: Since, limit: PageLimit): MaybePromise<Page | undefined>;
  /** Follows the channel (creating it). The listener is not called before this has answered. */
  subscribe(channel: ChannelSpec, listener: AppendListener): MaybePromise<Subscription>;
  /** Heads of these channels, in order; `undefined` where there is no such channel. */
  heads(names: readonly string[]): MaybePromise<readonly (Head | undefined)[]>;
  /** The broker's clock: ms since 1970, never going back. */
  time(): number;
  /** Ends, in bounded time; later calls reject. */
  close(): MaybePromise<void>;
}
