import type { Limits } from "../../protocol/limits.ts";
import type { DeclaredKind, Keep } from "../../protocol/message.ts";
import type { Position, Since } from "../../protocol/position.ts";
import type { Gap, Start } from "../../protocol/since.ts";
import type { Appended } from "./broker.ts";
import type { ChannelRef, Connection, Outgoing, TalkingConnection } from "./connection.ts";
import type { MaybePromise } from "./maybe-promise.ts";
import type { Clock, FailureLog, Logger, Metrics, Wheel, Work } from "./surroundings.ts";

/** What somebody may do. `subscribe` covers reading history. */
export type Action = "subscribe" | "publish";

/** The rights of a peer, as {@link Authenticate} returns them; core checks them before each command. */
export interface Grants {
  allows(action: Action, channel: string): boolean;
}

/** What a peer shows for itself. */
export interface Credentials {
  readonly token: string | undefined;
  /** Returns a header of the request that opened the connection, by lower-case name. */
  readonly header: (name: string) => string | undefined;
}

/** A peer that the application accepts. */
export interface Authenticated {
  readonly grants: Grants;
}

/**
 * Decides who a peer is and what it may do. `undefined` (or `null`) refuses the peer as `unauthorized`; throw a PartylineError
 * `unauthorized` to say why. Any other error is logged, and the peer tries again later.
 *
 * @example
 * ```ts
 * const authenticate: Authenticate = async ({ token }) => {
 *   const user = await findUser(token);
 *   return user && { grants: grants({ "chat/*": ["subscribe", "publish"] }) };
 * };
 * ```
 */
export type Authenticate = (credentials: Credentials) => MaybePromise<Authenticated | null | undefined>;

/** Where an attach starts: `continuous`, or the gap. */
export interface AttachAnswer extends Start {
  readonly channel: ChannelRef;
  readonly head: Position;
  /** How many messages will be sent to catch up with `head`. */
  readonly replayed: number;
  readonly keep: Keep;
  /** See `began` of `Since`; 0 for a reader that goes on from what it has. */
  readonly began: number;
}

/** A reader's wish for less than there is. */
export interface Pace {
  /** Most deliveries a second. */
  readonly maxRate: number;
  /** Ms until the first one. */
  readonly delay: number;
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
  attach(channel: string, since: Since | undefined, pace?: Pace): MaybePromise<AttachAnswer>;
  /** Lets the messages of an attached channel flow. */
  start(channel: string): void;
  /** Ends a channel's cursor; false where it was not attached. */
  detach(channel: string): boolean;
  /** Where its channels stand, in the order of their attaches: behind everything that was written. */
  positions(): readonly Position[];
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
  /** Seconds, where a stream is to be no longer silent. */
  readonly quiet: number | undefined;
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
  /** Its messages, as they were read: what others read too is encoded once. */
  readonly pages: readonly Outgoing[];
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
  readonly work: Work;
  readonly logger: Logger;
  readonly failures: FailureLog;
  readonly metrics: Metrics;
  /** The broker's clock, ms. */
  time(): number;
  /** Calls when all that has come so far has been written to its readers; within this turn of the loop. */
  afterTurn(fire: () => void): void;
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
  /**
   * The channel's head, as the broker says. The place before the first message is a position too.
   *
   * @throws PartylineError `bad-name`, `unknown-channel`
   */
  head(channel: string): Promise<Position>;
  /** @throws PartylineError `bad-name`, `unknown-channel`, `forbidden` */
  history(request: HistoryRequest, grants: Grants): MaybePromise<HistoryAnswer>;
}
