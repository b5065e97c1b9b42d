import type { ErrorCode } from "./errors.ts";
import type { EntryKind, Keep, Kind } from "./message.ts";
import type { GapReason } from "./since.ts";

/** The version of the multiplexed protocol, told in `hello` and `welcome`. */
export const PROTOCOL_VERSION = 1;

/** The WebSocket subprotocol of `/connect`. */
export const SUBPROTOCOL = "partyline.v1";

/** Content type of frames over HTTP: one JSON object a line. */
export const FRAMES_TYPE = "application/x-ndjson";

// --- from the client. `n` grows by one per connection and names the command in its answer. ---

/** First frame of a connection, first line of each `POST /connect`. */
export interface HelloFrame {
  readonly t: "hello";
  readonly v: number;
  readonly token?: string;
  /** Makes a `POST /connect` a long poll of at most this many seconds. */
  readonly wait?: number;
  /** The longest silence, in seconds, that the client wants on the stream that answers its `POST /connect`. */
  readonly quiet?: number;
}

export interface AttachFrame {
  readonly t: "attach";
  readonly n: number;
  readonly channel: string;
  /** Text form of a `Since`. */
  readonly since?: string;
  /** The `began` of the channel's newest `attached` frame. */
  readonly began?: string;
  /** Most deliveries a second; what lies between two of them is skipped. */
  readonly maxRate?: number;
}

export interface DetachFrame {
  readonly t: "detach";
  readonly n: number;
  readonly channel: string;
}

/** As read by a server: `data` is the bytes of the value as they stood in the line. */
export interface PublishFrame {
  readonly t: "publish";
  readonly n: number;
  readonly channel: string;
  readonly id: string;
  /** First attempt, in ms by the broker's clock. */
  readonly at: number;
  /** Ends a hold: the publisher has settled what was refused and sends the rest again from here. */
  readonly first: boolean;
  readonly kind: Kind;
  readonly key: string | undefined;
  readonly data: Uint8Array;
}

export interface DeleteFrame {
  readonly t: "delete";
  readonly n: number;
  readonly channel: string;
  readonly id: string;
  readonly at: number;
  readonly first: boolean;
  readonly key: string;
}

export interface TokenFrame {
  readonly t: "token";
  readonly n: number;
  readonly token: string;
}

export interface PingFrame {
  readonly t: "ping";
  readonly n: number;
}

/** What a client may send on `/connect`. */
export type ClientFrame =
  HelloFrame | AttachFrame | DetachFrame | PublishFrame | DeleteFrame | TokenFrame | PingFrame;

// --- from the server. `c` is the node's number for the channel, told in `attached`. ---

/** What a client needs to know of the server's limits. */
export interface WelcomeLimits {
  readonly messageBytes: number;
  readonly channelsPerConnection: number;
}

export interface WelcomeFrame {
  readonly t: "welcome";
  readonly v: number;
  /** The broker's clock, ms. */
  readonly time: number;
  readonly limits: WelcomeLimits;
}

export interface GapFields {
  readonly from: string;
  readonly to: string;
  readonly reason: GapReason;
  readonly lost?: number;
}

export interface AttachedFrame {
  readonly t: "attached";
  readonly n: number;
  readonly channel: string;
  readonly c: number;
  readonly position: string;
  readonly head: string;
  readonly replayed: number;
  readonly keep: Keep;
  /** Present where the answer is a gap. */
  readonly gap?: GapFields;
  /**
   * The head when the server began to send the whole state of a `latest` channel; absent if the client has that state.
   * The client repeats it when it attaches again, so that the state does not begin again.
   */
  readonly began?: string;
}

export interface MessageFrame {
  readonly t: "m";
  readonly c: number;
  readonly offset: number;
  readonly time: number;
  readonly kind: EntryKind;
  readonly id?: string;
  readonly key?: string;
  /** A JSON value, a string, or base64, by `kind`; absent where it is `deleted`. */
  readonly data?: unknown;
}

export interface GapFrame extends GapFields {
  readonly t: "gap";
  readonly c: number;
}

export interface SkipFrame {
  readonly t: "skip";
  readonly c: number;
  readonly from: string;
  readonly to: string;
}

export interface MarkFrame {
  readonly t: "mark";
  readonly c: number;
  readonly position: string;
  readonly time: number;
}

export interface StaleFrame {
  readonly t: "stale";
  readonly c: number;
  /** Since when the server can't vouch for the channel's head, ms by the broker's clock. */
  readonly since: number;
}

export interface DetachedFrame {
  readonly t: "detached";
  readonly c: number;
  readonly code: ErrorCode | "detached";
}

export interface ResultFrame {
  readonly t: "result";
  readonly n: number;
  readonly position?: string;
  readonly duplicate?: boolean;
}

export interface ErrorFrame {
  readonly t: "error";
  /** The command that was refused; absent where no command is meant or can be read. */
  readonly n?: number;
  readonly code: ErrorCode;
  readonly message: string;
  readonly remedy: string;
  readonly retryAfter?: number;
}

export interface PongFrame {
  readonly t: "pong";
  readonly n: number;
}

/** The server goes away: open another connection, then leave this one. */
export interface DrainFrame {
  readonly t: "drain";
  /** How long this connection is still served, ms. */
  readonly within: number;
}

/** What a server may send on `/connect`. */
export type ServerFrame =
  | WelcomeFrame
  | AttachedFrame
  | MessageFrame
  | GapFrame
  | SkipFrame
  | MarkFrame
  | StaleFrame
  | DetachedFrame
  | ResultFrame
  | ErrorFrame
  | PongFrame
  | DrainFrame;
