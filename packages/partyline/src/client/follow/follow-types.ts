/// <reference lib="esnext.disposable" preserve="true" />
import type { BackoffOptions } from "../backoff.ts";
import type { Message } from "../message.ts";
import type { Optional } from "../options.ts";

/** A state, and a position of the channel whose messages up to there are all in it. Newer ones may be in it too. */
export interface Snapshot<S> {
  readonly state: S;
  /** As `server.channel(name).snapshot(…)` or `.position()` gave it on the server. */
  readonly position: string;
}

/** How a state is followed. Times in ms. */
export interface FollowOptions<T, S> extends Optional<BackoffOptions> {
  /**
   * Loads the state: at the beginning unless there is an `initial` one, and after each gap. One load at a time; one that
   * fails is told, and tried again after a backoff. `signal` ends it when it takes too long or nobody wants it any more.
   */
  readonly snapshot: (request: { readonly signal: AbortSignal }) => Snapshot<S> | Promise<Snapshot<S>>;
  /**
   * The state after a message. It is given each message behind the snapshot's position once and in order. Where the state
   * may have been read later than its position, a message may be in it already, and applying it again must change
   * nothing: set, insert by id, delete; do not count. Where it throws, the state is loaded again.
   */
  readonly reduce: (state: S, message: Message<T>) => S;
  /** A snapshot that came with the page: nothing is loaded then. Default: none. */
  readonly initial?: Snapshot<S> | undefined;
  /** How long a load may take. Default 30 000. */
  readonly loadTimeout?: number | undefined;
  /** Messages that are held back during a load; what is more stays in the channel's log meanwhile. Default 1 000. */
  readonly heldMessages?: number | undefined;
}

/** The options after the check, with the defaults of those that are numbers. */
export type FollowSettings<T, S> = FollowOptions<T, S> &
  BackoffOptions & { readonly loadTimeout: number; readonly heldMessages: number };

/**
 * `loading`: there is no state yet. `live`: the state has all that the server is known to have. `stale`: there is a
 * state, but it is not kept up to date at the moment: the connection is lost, it is catching up, or it is loaded again
 * after a gap. `error`: a load failed and is tried again, or the server refuses the channel; a state that was there
 * stays. `closed`: for good.
 */
export type FollowStatus = "loading" | "live" | "stale" | "error" | "closed";

/** What is known of a followed state. */
export interface FollowState<S> {
  readonly status: FollowStatus;
  /** `undefined` until the first load. */
  readonly state: S | undefined;
  /** The messages up to here are in the state. */
  readonly position: string | undefined;
  /** Why, where `status` is `error`: what `snapshot` or `reduce` threw, or a PartylineError. */
  readonly error: unknown;
}

/** A state that is kept up to date. */
export interface Follower<S> extends AsyncDisposable {
  /** What is known now: another object after each change. */
  readonly current: FollowState<S>;
  /** When the server last vouched that the state has everything, ms by the broker's clock. */
  readonly asOf: number | undefined;
  /**
   * Adds a listener; the returned function removes it.
   *
   * @example
   * ```ts
   * board.on("change", ({ state, status }) => render(state, status));
   * ```
   */
  on(event: "change", listener: (current: FollowState<S>) => void): () => void;
  /**
   * The state, as soon as there is one.
   *
   * @throws PartylineError `closed` where it was closed before.
   */
  loaded(): Promise<S>;
  /** Stops following, and a load that is under way. The channel stays open. */
  close(): void;
}
