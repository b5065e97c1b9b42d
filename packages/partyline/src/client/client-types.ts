/// <reference lib="esnext.disposable" preserve="true" />
import type { PartylineError } from "../protocol/partyline-error.ts";
import type { BackoffOptions } from "./backoff.ts";
import type { Channel, ChannelOptions, DroppedPublish } from "./channel-types.ts";
import type { TransportName } from "./link.ts";
import type { Optional } from "./options.ts";
import type { OutboxKeeper } from "./outbox-keeper.ts";

/**
 * `connecting`: for the first time. `live`: connected. `suspect`: connected, but the page woke up or the network
 * changed, and the server has not answered since; decided within 2 s. `reconnecting`: the connection was lost, or is
 * tried again. `offline`: the runtime says that there is no network, or the page was left; tried again when the network
 * or the page is back, and without a network every `maxDelay`. `closed`: for good.
 */
export type ClientStatus = "connecting" | "live" | "suspect" | "reconnecting" | "offline" | "closed";

/** How the client's connection is. */
export interface ClientState {
  readonly status: ClientStatus;
  /** Since when, ms of `performance.now()`. */
  readonly since: number;
  /** Why it is not live. */
  readonly reason?: PartylineError | undefined;
  /** What it is live or suspect over. */
  readonly transport?: TransportName | undefined;
  /**
   * Where it is not the best transport: what became of the others when they were tried last, for people to read. One that
   * is not named was not tried, because it failed for an earlier page.
   */
  readonly because?: Readonly<Partial<Record<TransportName, string>>> | undefined;
  /** When the next attempt is due, ms of `performance.now()`; in the past: it is under way. */
  readonly retryAt?: number | undefined;
  /**
   * With the option `share`: this tab has the connection for all (`leader`), uses that of another tab (`follower`), or
   * has one for itself (`alone`), because the browser or the page has no way to share.
   */
  readonly shared?: "leader" | "follower" | "alone" | undefined;
}

/** What a client tells, by event. */
export interface ClientEvents {
  state: ClientState;
  /** A publish was given up: one event for each that does not end in a position. */
  dropped: DroppedPublish;
}

/** A token; `undefined` and `null` mean none. */
type Token = string | null | undefined;

/**
 * How a client connects. All options have defaults; `undefined` and `null` mean the default. Times in milliseconds,
 * `Infinity` for never. A time below its minimum counts as the minimum, so that no option makes a loop without a pause.
 */
export interface ClientOptions extends Optional<BackoffOptions> {
  /** Transports to use, the best one first. Default `["ws", "sse", "poll"]`, as far as the runtime has them. */
  readonly transports?: readonly TransportName[] | undefined;
  /**
   * Sent in the first frame of each connection, up to 16 KiB with it. The client calls a function for each connection; if
   * the function fails, the state's `reason` says so, and the client calls it again after a backoff. Default: none.
   */
  readonly token?: Token | (() => Token | Promise<Token>);
  /** Headers of each HTTP request; a WebSocket has none. `undefined` and `null` leave a header out. Default: none. */
  readonly headers?: Readonly<Record<string, string | null | undefined>> | undefined;
  /**
   * Whether requests carry cookies, as for `fetch`: `"include"` also to other origins. Browsers send cookies with each
   * WebSocket as far as their policy allows, so name `"include"` if the server knows its users by cookies across origins:
   * then a client that falls back is known as before. With `"omit"` no WebSocket is opened. Default `"same-origin"`.
   */
  readonly credentials?: RequestCredentials | undefined;
  /**
   * How long a transport may take until its first frame before the next one is opened beside it; three times that
   * where it has worked before. The better one takes over if it comes after all. Default 1 000.
   */
  readonly fallbackDelay?: number | undefined;
  /**
   * One connection for all tabs of this browser that have the same URL, token and headers. A name instead of `true`
   * says whose it is in place of token and headers: for cookies, tokens that differ from tab to tab, or a `fetch` or
   * `WebSocket` of your own; a tab of somebody else must not give the same. Default `false`.
   */
  readonly share?: boolean | string | undefined;
  /** How long a transport may take until its first frame. Default 10 000. */
  readonly openTimeout?: number | undefined;
  /** A connection that lasted this long makes earlier failures forgotten. Default 10 000. */
  readonly stableAfter?: number | undefined;
  /** Until a better transport is tried again; doubles up to ten times this; at least 100. Default 60 000. */
  readonly upgradeInterval?: number | undefined;
  /**
   * Silence after which the client asks the server whether it is there; at least 100. A long poll waits four fifths of
   * it, up to 55 s. The client takes less if connections keep ending in a shorter silence. Default 25 000.
   */
  readonly pingInterval?: number | undefined;
  /** How long the answer to that may take, and a millisecond more for each character sent before. Default 10 000. */
  readonly pongTimeout?: number | undefined;
  /** Messages that an iterator lets wait, before the channel lags. Default 1 000. */
  readonly bufferedMessages?: number | undefined;
  /** Bytes that an iterator lets wait, before the channel lags. Default 1 MiB. */
  readonly bufferedBytes?: number | undefined;
  /** Publishes of all channels that may be unsettled (`overloaded`). Default 10 000. */
  readonly pendingPublishes?: number | undefined;
  /** Bytes of unsettled publishes of all channels (`overloaded`). Default 8 MiB. */
  readonly pendingBytes?: number | undefined;
  /** The `ttl` of publishes that name none. Default `Infinity`. */
  readonly publishTtl?: number | undefined;
  /** Keeps publishes beyond the page: `indexedDbOutbox()` of `partyline/client/indexed-db`. Default: nothing does. */
  readonly outbox?: OutboxKeeper | undefined;
  /** Default: the runtime's. */
  readonly fetch?: typeof fetch | undefined;
  /** Default: the runtime's. */
  readonly WebSocket?: typeof WebSocket | undefined;
}

/** One connection to a server, and the channels on it. */
export interface Client extends AsyncDisposable {
  readonly state: ClientState;
  /**
   * The channel of this name, always the same one until it is closed. Nothing is attached before somebody reads.
   *
   * @throws PartylineError `closed`.
   *
   * @example
   * ```ts
   * const room = client.channel<{ text: string }>("chat/general", { since: "last:50" });
   * ```
   */
  channel<T = unknown>(name: string, options?: ChannelOptions): Channel<T>;
  /**
   * Adds a listener; the returned function removes it.
   *
   * @example
   * ```ts
   * client.on("state", ({ status }) => (badge.textContent = status));
   * ```
   */
  on<E extends keyof ClientEvents>(event: E, listener: (value: ClientEvents[E]) => void): () => void;
  /**
   * Prefers a transport from now on and changes to it: the new connection takes over at its first frame, at the same
   * positions, then the old one is closed. Without a connection the next one begins with it.
   *
   * @throws PartylineError `offline` where it can't be opened; the present connection goes on.
   *
   * @example
   * ```ts
   * await client.switchTransport("poll");
   * ```
   */
  switchTransport(name: TransportName): Promise<void>;
  /** Closes connection and channels: iterators end, unsettled publishes are refused as `closed`. Always resolves. */
  close(): Promise<void>;
}
