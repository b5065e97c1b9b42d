import type { PartylineError } from "../protocol/partyline-error.ts";
import type { BackoffOptions } from "./backoff.ts";
import type { Channel, ChannelOptions, DroppedPublish } from "./channel-types.ts";
import type { TransportName } from "./link.ts";
import type { OutboxKeeper } from "./outbox-keeper.ts";

/**
 * `connecting`: for the first time. `live`: connected. `suspect`: connected, but the page woke up or the network
 * changed, and the server has not answered since; decided within 2 s. `reconnecting`: the connection was lost, or is
 * tried again. `offline`: the runtime says that there is no network, or the page was left; tried again when the network
 * or the page is back. `closed`: for good.
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
  /** A publish was given up: each that does not end in a position. */
  dropped: DroppedPublish;
}

/** How a client connects; all of it has a default. Times in ms. */
export interface ClientOptions extends Partial<BackoffOptions> {
  /** Transports to use, the best one first. Default `["ws", "sse", "poll"]`, as far as the runtime has them. */
  readonly transports?: readonly TransportName[];
  /** Sent in the first frame of each connection; a function is asked anew for each. Default: none. */
  readonly token?: string | (() => string | undefined | Promise<string | undefined>);
  /** Headers of each HTTP request; a WebSocket has none. Default: none. */
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * How long a transport may take until its first frame before the next one is opened beside it; three times that
   * where it has worked before. The better one takes over if it comes after all. Default 1 000.
   */
  readonly fallbackDelay?: number;
  /**
   * One connection for all tabs of this browser that have the same URL, token and headers. A name instead of `true`
   * says whose it is in place of token and headers: for cookies, tokens that differ from tab to tab, or a `fetch` or
   * `WebSocket` of your own; a tab of somebody else must not give the same. Default `false`.
   */
  readonly share?: boolean | string;
  /** How long a transport may take until its first frame. Default 10 000. */
  readonly openTimeout?: number;
  /** A connection that lasted this long makes earlier failures forgotten. Default 10 000. */
  readonly stableAfter?: number;
  /** Until a better transport is tried again; doubles up to ten times this. Default 60 000. */
  readonly upgradeInterval?: number;
  /**
   * Silence after which the server is asked whether it is there; a long poll waits four fifths of it. The client takes
   * less where connections keep ending in a shorter silence. Default 25 000.
   */
  readonly pingInterval?: number;
  /** How long the answer to that may take. Default 10 000. */
  readonly pongTimeout?: number;
  /** Messages that an iterator lets wait, before the channel lags. Default 1 000. */
  readonly bufferedMessages?: number;
  /** Bytes that an iterator lets wait, before the channel lags. Default 1 MiB. */
  readonly bufferedBytes?: number;
  /** Publishes of all channels that may be unsettled (`overloaded`). Default 10 000. */
  readonly pendingPublishes?: number;
  /** Bytes of unsettled publishes of all channels (`overloaded`). Default 8 MiB. */
  readonly pendingBytes?: number;
  /** The `ttl` of publishes that name none. Default `Infinity`. */
  readonly publishTtl?: number;
  /** A listener of `dropped` that is there from the beginning. Default: none. */
  readonly onDropped?: (publish: DroppedPublish) => void;
  /** Keeps publishes beyond the page: `indexedDbOutbox()` of `partyline/client/indexed-db`. Default: nothing does. */
  readonly outbox?: OutboxKeeper;
  /** Default: the runtime's. */
  readonly fetch?: typeof fetch;
  /** Default: the runtime's. */
  readonly WebSocket?: typeof WebSocket;
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
