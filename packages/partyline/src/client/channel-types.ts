import type { EntryKind, Keep, Kind } from "../protocol/message.ts";
import type { PartylineError } from "../protocol/partyline-error.ts";
import type { Follower, FollowOptions } from "./follow/follow-types.ts";
import type { ChannelGap, ChannelSkip, Message } from "./message.ts";

/**
 * What a gap in a `history` channel does, beside the `gap` event. `"continue"`: delivery goes on. `"pause"`: iterators throw
 * a {@link GapError}, and delivery waits for `resume()`, by which the page accepts the gap. A function brings the state up to
 * date before delivery goes on; if the function throws, the gap is as with `"pause"`.
 */
export type OnGap = "continue" | "pause" | ((gap: ChannelGap) => Promise<void> | void);

/** How a channel is read. Given again to `client.channel(name, …)`, the newest count from then on. */
export interface ChannelOptions {
  /**
   * Where the first attach begins: a position as a message or `channel.position` gave it, `"earliest"`, `"now"` or
   * `"last:N"`. Later attaches go on where the channel stands. Default: `now`; `earliest` on `latest` channels.
   */
  readonly since?: string | null | undefined;
  /**
   * Most deliveries a second, from 0.001 to 1 000: what comes in between is left out and told by `skip`, but the newest
   * always comes. A delivery is the newest message; on `latest` channels, of each key that has changed. Counts from
   * the next attach on. Default `Infinity`: every message. The server refuses another number with `bad-limit`.
   */
  readonly maxRate?: number | undefined;
  /**
   * What a gap does. Default: listeners go on, as with `"continue"`, and iterators throw a {@link GapError}; if there is
   * neither a listener of `gap` nor an iterator, the console has one warning for the channel. On `latest` and `nothing`
   * channels delivery always goes on.
   */
  readonly onGap?: OnGap | undefined;
  /**
   * What the channel keeps, where that must be known before the server has said so: a publish to a `nothing` channel
   * does not wait for a connection, and one to a `latest` channel replaces a waiting one of its key. Default
   * `"history"` until the first attach was answered.
   */
  readonly keep?: Keep | undefined;
}

/** How a message is published. */
export interface PublishOptions {
  /** Which value of a `latest` channel it sets. Default `""`. */
  readonly key?: string | undefined;
  /** 1 to 64 of `A-Z a-z 0-9 _ -`, once per channel; a repeat is not stored twice. Default: 128 random bits. */
  readonly id?: string | undefined;
  /** `"text"` sends a string as it is. Default: `"binary"` for an ArrayBuffer or a view of one, else `"json"`. */
  readonly kind?: Kind | undefined;
  /**
   * How long it may stay unsettled, in whole milliseconds. Then it is given up: `expired` where it is surely not stored, `uncertain` where
   * it was sent and the answer never came. Default: the client's `publishTtl`.
   */
  readonly ttl?: number | undefined;
}

/** How a key is deleted; see {@link PublishOptions}. */
export type DeleteOptions = Pick<PublishOptions, "id" | "ttl">;

/** Where a message was stored. */
export interface PublishResult {
  /** Its position; empty where it was superseded. */
  readonly position: string;
  /** It was stored before under the same id, perhaps by an earlier attempt of the same publish. */
  readonly duplicate: boolean;
  /** It never left: a newer value of the same key took its place while there was no connection. */
  readonly superseded?: true;
}

/**
 * May a publish be stored already? `waiting`: surely not; it never left, or was refused each time and is sent again.
 * `sent`: the answer is awaited. `uncertain`: it was sent, the answer was lost or said `uncertain`; it is sent again
 * under the same id.
 */
export type PendingState = "waiting" | "sent" | "uncertain";

/** A publish that is not settled. Its `state` and `attempts` go on changing. */
export interface PendingPublish {
  readonly channel: string;
  readonly id: string;
  /** `""` where none was given. */
  readonly key: string;
  /** `deleted` where a key is to be deleted; then `data` is undefined. */
  readonly kind: EntryKind;
  /** What was given to `publish`. */
  readonly data: unknown;
  /** Bytes of data. */
  readonly size: number;
  readonly state: PendingState;
  /** How often it was sent. */
  readonly attempts: number;
  /** When it was published, ms since 1970 by this machine's clock. */
  readonly since: number;
  /** When it is given up, by the same clock; `Infinity` for never. */
  readonly until: number;
}

/** A publish that was given up. */
export interface DroppedPublish {
  /** As it was then. Where its `state` is not `waiting` it may be stored all the same: look before you publish it anew. */
  readonly publish: PendingPublish;
  /** What its promise is rejected with; `undefined` where a newer value of its key took its place. */
  readonly reason: PartylineError | undefined;
}

/**
 * `detached`: nobody reads. `attaching`: asked for. `attached`: messages come. `lagging`: a reader is full, the channel
 * is attached again when it has read half. `held`: a gap waits for a decision. `refused`: the server says no.
 */
export type ChannelStatus = "detached" | "attaching" | "attached" | "lagging" | "held" | "refused" | "closed";

/** What a channel is doing. */
export interface ChannelState {
  readonly status: ChannelStatus;
  /** Why, where it is `refused` or is tried again after a refusal. */
  readonly error?: PartylineError | undefined;
}

/** What a channel tells, by event. */
export interface ChannelEvents<T> {
  message: Message<T>;
  gap: ChannelGap;
  skip: ChannelSkip;
  state: ChannelState;
  /** The server vouched for the channel's place: nothing is missing at this time of the broker's clock. */
  mark: { readonly position: string; readonly time: number };
  /** The server can't vouch for the channel's head, since this time of the broker's clock. */
  stale: { readonly since: number };
}

/** How far a reader is behind, in time and in messages. */
export interface Freshness {
  /**
   * Since the server last vouched for the channel's `position`, ms. On a quiet channel it does so every 20 s, so a greater
   * age tells of a connection that is lost or slow. By the broker's clock, whatever that of this machine says.
   */
  readonly age: number;
  /** Messages beyond `position` of which this client knows. */
  readonly behind: number;
}

/**
 * One channel, as this client reads it and publishes to it. It is attached while somebody reads: a listener of
 * `message` or an iterator.
 */
export interface Channel<T = unknown> {
  /** The name in Unicode normalization form C: all spellings of a name are one channel. */
  readonly name: string;
  readonly state: ChannelState;
  /** The last message that came, or where the first attach began; `undefined` before that. */
  readonly position: string | undefined;
  /** The newest message that this client knows to exist. */
  readonly head: string | undefined;
  /** When the server last vouched for `position`, ms by the broker's clock: by a message, a mark, or an attach. */
  readonly asOf: number | undefined;
  /**
   * How old what was read is, now; `undefined` before the first attach was answered, and while the log is first read.
   *
   * @example
   * ```ts
   * const { age, behind } = scores.freshness ?? {};
   * if (age !== undefined) label.textContent = `as of ${Math.round(age / 1000)} s ago, ${behind} behind`;
   * ```
   */
  readonly freshness: Freshness | undefined;
  /** Publishes that are not settled, oldest first. */
  readonly pending: readonly PendingPublish[];
  /**
   * The messages from now on, or from `since` where this is the first reader. Ends with `signal`, `close()` or the
   * loop; what is slow is no problem: at most 1 000 messages or 1 MiB wait, the rest stays in the log.
   *
   * Iterators of one channel go at the pace of the slowest. Listeners wait for no iterator: one that is full when a
   * listener is given a message ends with `overloaded`, after what waits.
   *
   * @throws GapError from the iterator, if messages were missed and `onGap` is not `"continue"`.
   * @throws PartylineError from the iterator, where the server refuses the channel.
   *
   * @example
   * ```ts
   * for await (const message of client.channel<Goal>("scores/42").messages()) show(message.data);
   * ```
   */
  messages(options?: { readonly signal?: AbortSignal }): AsyncIterableIterator<Message<T>, void>;
  /**
   * Adds a listener; the returned function removes it.
   *
   * @example
   * ```ts
   * const off = room.on("message", (message) => append(message.data));
   * ```
   */
  on<E extends keyof ChannelEvents<T>>(event: E, listener: (value: ChannelEvents<T>[E]) => void): () => void;
  /**
   * Publishes, and resolves with the position when the message is stored. It is sent again under the same id until
   * the server answers; without a connection it waits, in order, but for `nothing` channels.
   *
   * @throws PartylineError the refusal; `bad-json` if the data has no JSON form (a Map, a Blob, BigInt, a cycle); `overloaded` where too many publishes wait; `offline` on a `nothing` channel
   * without connection; `expired` where its `ttl` is over; `uncertain` where it can't be known any more whether it was
   * stored; `closed`. The client reports each by `dropped` too.
   *
   * @example
   * ```ts
   * const { position } = await room.publish({ text: "hello" });
   * ```
   */
  publish(data: T, options?: PublishOptions): Promise<PublishResult>;
  /**
   * Deletes the value of a key of a `latest` channel; see {@link Channel.publish}.
   *
   * @example
   * ```ts
   * await prices.delete("ACME");
   * ```
   */
  delete(key: string, options?: DeleteOptions): Promise<PublishResult>;
  /**
   * Loads a state and keeps it up to date by the messages of the channel, without a window between the two: the channel
   * is read from the snapshot's position on. After a gap, what comes is held back, the state is loaded again, and goes on
   * from there; so whatever was missed, it ends in a correct state. What does that is loaded first, once per page.
   *
   * What the server must guarantee: a message's effect is in the data *before* the message is published, and the position
   * is read *before* the data, as `server.channel(name).snapshot(load)` does. Then nothing is missing from a snapshot, but
   * it may have more than its position says; see {@link FollowOptions.reduce}.
   *
   * It decides about the channel's gaps: other readers of the channel are told of them and not stopped. Of a channel that
   * was closed by then, what is followed is `closed` too.
   *
   * @throws What the runtime throws where the code can't be loaded; a further call tries again.
   *
   * @example
   * ```ts
   * // on the server
   * app.get("/api/board/:id", async (request, response) => {
   *   const { id } = request.params;
   *   response.json(await server.channel(`board/${id}`).snapshot(() => database.cards(id)));
   * });
   *
   * // in the page
   * const board = await client.channel<Card>("board/7").follow<Cards>({
   *   snapshot: async ({ signal }) => (await fetch("/api/board/7", { signal })).json(),
   *   reduce: (cards, { data }) => ({ ...cards, [data.id]: data }),
   * });
   * board.on("change", ({ state, status }) => render(state, status));
   * ```
   */
  follow<S>(options: FollowOptions<T, S>): Promise<Follower<S>>;
  /** Stops reading and keeps the place; listeners and iterators stay, and `resume()` goes on. */
  detach(): void;
  /** Goes on after a gap, after `detach()`, or after a refusal. */
  resume(): void;
  /** Ends reading and publishing here for good: iterators end, what is not settled is refused as `closed`. */
  close(): void;
}
