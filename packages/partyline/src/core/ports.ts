/**
 * Where core meets the outside. Outbound ports (`Broker`, `Connection`, `Clock`, `Logger`, `Metrics`,
 * `Authenticator`) are called by core and filled by others; the inbound ports (`Engine`, `Reader`,
 * `Conversation`) are called by transports and hosts and filled by core.
 */
import type { ErrorCode, PartylineError } from "../protocol/errors.ts";
import type { ServerFrame } from "../protocol/frames.ts";
import type { Limits } from "../protocol/limits.ts";
import type { DeclaredKind, Entry, EntryKind, Keep } from "../protocol/message.ts";
import type { Position, Since } from "../protocol/position.ts";
import type { Gap, Start } from "../protocol/since.ts";

/** A value that may be there already: what can be answered at once is, without a detour through a microtask. */
export type MaybePromise<T> = T | Promise<T>;

// --- broker ---------------------------------------------------------------------------------------------------

/** How much of a channel is kept; the bound reached first drops the oldest. */
export interface Retention {
  /** Messages. */
  readonly count: number;
  /** Bytes: payload plus 100 for each message. */
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

/** Receives what a channel's log gets, in offset order, each entry once, from the moment of `subscribe` on. */
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
 *   position, `duplicate: true`; other bytes under it are refused `id-reused`. An unknown id whose `at` is not
 *   later than the newest id forgotten is refused `uncertain`.
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

// --- connection -----------------------------------------------------------------------------------------------

/** A channel as transports see it. */
export interface ChannelRef {
  readonly name: string;
  /** This node's number for the channel, the same for all its connections. */
  readonly number: number;
}

/** What goes out on a channel. */
export type Item =
  /**
   * Messages in offset order. `after` is the offset that their reader has; an offset that is not one more than the
   * one before is a *skip* (only `latest` channels have them), which is to be told where the wire has a way.
   */
  | {
      readonly is: "messages";
      readonly epoch: string;
      readonly after: number;
      readonly entries: readonly Entry[];
    }
  | { readonly is: "gap"; readonly gap: Gap }
  | { readonly is: "skip"; readonly from: Position; readonly to: Position }
  | { readonly is: "mark"; readonly position: Position; readonly time: number }
  | { readonly is: "stale"; readonly since: number }
  | { readonly is: "detached"; readonly code: ErrorCode | "detached" };

/** One way to put an {@link Item} into bytes; made once per process, so that what it encodes can be shared. */
export interface WireFormat<T = Uint8Array> {
  /** Small number, its own for each format: where an {@link Outgoing} keeps this format's bytes. */
  readonly slot: number;
  /** Must not depend on the reader: the result goes to all. May be empty: nothing is written. */
  encode(channel: ChannelRef, item: Item): T;
}

/** An item together with what it was encoded to: once per format, however many readers. */
export interface Outgoing {
  readonly channel: ChannelRef;
  readonly item: Item;
  encoded<T>(format: WireFormat<T>): T;
}

/**
 * One reader's end of the network, filled by a transport.
 *
 * Everything core hands over is written in the order of the calls. A transport keeps no queue of its own beyond the
 * socket's: when `write` answers false it has taken *this* item, wants no more, and calls `Reader.drained()` when
 * the socket has (its own mark must not be below the socket's, whose `drain` would then never come).
 */
export interface Connection {
  write(outgoing: Outgoing): boolean;
  /** Between the two, several writes may be joined into one. Always in pairs, within one turn, never nested. */
  cork(): void;
  uncork(): void;
  /** Ends the connection after what was written; told to the peer in the way that the wire has. Idempotent. */
  close(reason: PartylineError): void;
}

/** A connection of the multiplexed protocol: has replies of its own beside what channels send. */
export interface TalkingConnection extends Connection {
  /**
   * A frame for this peer alone, in order with all else. Core corks the connection first, so that the replies of a
   * turn can go out together, at the latest at `uncork` or `close`. False as in `write`.
   */
  reply(frame: ServerFrame): boolean;
}

// --- the engine, as transports and hosts see it ------------------------------------------------------------------

/** What somebody may do. `subscribe` covers reading history. */
export type Action = "subscribe" | "publish";

/** Who may do what; made by the {@link Authenticator}, asked by core before each command. */
export interface Grants {
  allows(action: Action, channel: string): boolean;
}

/** What a peer shows for itself. */
export interface Credentials {
  readonly token: string | undefined;
  /** Header of the request that opened the connection, by lower-case name. */
  header(name: string): string | undefined;
}

/** Turns credentials into grants; throws PartylineError `unauthorized` where they are not valid. */
export interface Authenticator {
  authenticate(credentials: Credentials): MaybePromise<Grants>;
}

/** Where an attach starts: `continuous`, or the gap. */
export interface AttachAnswer extends Start {
  readonly channel: ChannelRef;
  readonly head: Position;
  /** How many messages will be sent to catch up with `head`. */
  readonly replayed: number;
  readonly keep: Keep;
}

/**
 * The delivery side of one connection: its cursors. A transport opens one by `Engine.open`, and tells it when the
 * socket has drained and when it is gone.
 */
export interface Reader {
  /**
   * Attaches a channel; a second attach of the same channel replaces the first. The answer must be written before
   * `start` is called: from then on messages come.
   *
   * @throws PartylineError `bad-name`, `unknown-channel`, `forbidden`, `too-many-channels`
   */
  attach(channel: string, since: Since | undefined): MaybePromise<AttachAnswer>;
  /** Lets the messages of an attached channel flow. */
  start(channel: string): void;
  /** Ends a channel's cursor; false where it was not attached. */
  detach(channel: string): boolean;
  /** The socket takes bytes again after a `write` that answered false. */
  drained(): void;
  /** The connection is gone: ends all cursors. Idempotent. */
  closed(): void;
}

/** The multiplexed protocol on one connection: frames in, replies and messages out. */
export interface Conversation {
  /** One line from the peer. Never throws: a line that is no frame is answered with an `error` frame. */
  receive(line: string): void;
  /** Resolves when every command received so far has been answered; `undefined` where that is so already. */
  settled(): Promise<void> | undefined;
  drained(): void;
  closed(): void;
}

/** What a `hello` has opened. */
export interface Welcome {
  readonly grants: Grants;
  /** Seconds, where a long poll is asked for. */
  readonly wait: number | undefined;
}

/** How a conversation runs on its transport. */
export type ConversationOptions =
  /** A WebSocket: `hello` comes as its first frame, then commands and channels. */
  | { readonly mode: "full"; readonly credentials: Credentials }
  /**
   * A `POST /connect` whose `hello` was accepted; it begins with `welcome`. `channels`: a stream or a poll, `attach`
   * only. `commands`: everything else, and `attach` is `bad-frame`.
   */
  | { readonly mode: "channels" | "commands"; readonly welcome: Welcome };

/** A message that somebody publishes outside of a conversation. */
export interface PublishRequest {
  readonly channel: string;
  readonly kind: DeclaredKind | "text";
  readonly data: Uint8Array;
  readonly id?: string | undefined;
  readonly key?: string | undefined;
}

/** A page of history, as JSON answers have it. */
export interface HistoryAnswer {
  readonly entries: readonly Entry[];
  /** Of the last message in the answer, or where reading would go on; `undefined` where there is no such channel. */
  readonly position: Position | undefined;
  readonly head: Position | undefined;
  /** Are there newer messages than those in the answer? */
  readonly more: boolean;
  readonly gap: Gap | undefined;
}

export interface HistoryRequest {
  readonly channel: string;
  readonly since: Since | undefined;
  readonly limit: number;
  /** Ms to wait for a message where there is none yet; then it is an attach, and creates the channel. */
  readonly wait: number | undefined;
  /** Ends the wait early, with an empty answer. */
  readonly signal?: AbortSignal;
}

/** Core, as transports and hosts see it. */
export interface Engine {
  readonly limits: Limits;
  readonly clock: Clock;
  readonly wheel: Wheel;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** The broker's clock, ms. */
  time(): number;
  /** @throws PartylineError `unauthorized` */
  authenticate(credentials: Credentials): MaybePromise<Grants>;
  /**
   * The first line of a `POST /connect`.
   *
   * @throws PartylineError `bad-frame`, `version`, `unauthorized`, `bad-limit` (of `wait`)
   */
  hello(line: string, credentials: Credentials): MaybePromise<Welcome>;
  /** A connection whose channels are fixed by its URL: raw WebSocket, raw SSE, `/events`. */
  open(connection: Connection, grants: Grants): Reader;
  /** A connection of the multiplexed protocol. */
  converse(connection: TalkingConnection, options: ConversationOptions): Conversation;
  /** @throws PartylineError (or rejects with it) whatever refuses the publish; nothing is stored then. */
  publish(request: PublishRequest, grants: Grants): MaybePromise<Appended>;
  /** Deletes a key of a `latest` channel. @throws PartylineError, `wrong-method` on other channels. */
  remove(channel: string, key: string, grants: Grants): MaybePromise<Appended>;
  /** @throws PartylineError `bad-name`, `unknown-channel`, `forbidden` */
  history(request: HistoryRequest, grants: Grants): MaybePromise<HistoryAnswer>;
}

// --- what core needs of its surroundings ------------------------------------------------------------------------

export interface Timer {
  cancel(): void;
}

/** Time and turns: real in a server, virtual in tests. */
export interface Clock {
  /** Milliseconds by a clock that never goes back; its zero means nothing. */
  now(): number;
  setTimer(fire: () => void, delay: number): Timer;
  /** After the events of this turn of the loop have been handled (`setImmediate`). */
  nextTurn(fire: () => void): void;
}

/** Something that happens after a while, unless it is put off; costs nothing per write. */
export interface Timed {
  /** Called when due; answers in how many ms to be called again, 0 or less for never. */
  expire(now: number): number;
}

/** One coarse timer for all that is cheap to be late by a second: pings, marks, idle streams. */
export interface Wheel {
  readonly now: number;
  /** Puts it on the wheel; it is due within a second after `delay` ms. */
  add(timed: Timed, delay: number): void;
}

/** Where things are told that a human should know; `details` are small and hold no message data. */
export interface Logger {
  info(message: string, details?: Readonly<Record<string, unknown>>): void;
  warn(message: string, details?: Readonly<Record<string, unknown>>): void;
  error(message: string, details?: Readonly<Record<string, unknown>>): void;
}

/** The counters of what can go wrong, and of what went right beside it. */
export type Counter =
  | "published"
  | "duplicates"
  | "refused"
  | "attached"
  | "gaps"
  | "skips"
  | "lagging"
  | "stale"
  | "slow"
  | "connections"
  | "closed";

/** Counts. `label` splits a counter: the code of a refusal, the reason of a gap, the name of a transport. */
export interface Metrics {
  count(counter: Counter, label?: string, by?: number): void;
}
