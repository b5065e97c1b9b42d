import type {
  AttachedFrame,
  DetachedFrame,
  ErrorFrame,
  GapFrame,
  MarkFrame,
  MessageFrame,
  ResultFrame,
  SkipFrame,
  StaleFrame,
  WelcomeFrame,
} from "../protocol/frames.ts";
import type { PartylineError } from "../protocol/partyline-error.ts";
import type { Runtime } from "./runtime.ts";
import type { Stream } from "./stream.ts";

/** A way to the server, by name. */
export type TransportName = "ws" | "sse" | "poll";

/** A command that is answered: a publish or a delete. */
export interface Command {
  /** The frame's line, numbered; written when it leaves, not before. */
  line(n: number): string;
  answer(frame: ResultFrame | ErrorFrame): void;
}

/** What concerns one channel, in the order of the wire. */
export type ChannelFrame = MessageFrame | GapFrame | SkipFrame | MarkFrame | StaleFrame | DetachedFrame;

/** Why a link is over. */
export interface LinkEnd {
  readonly error: PartylineError;
  /** The server does not want this client again unless it changes. */
  readonly terminal: boolean;
}

/** What a link asks and tells. Nothing is told after `end`, nor after the link was closed. */
export interface LinkHost {
  /** Channels that should be attached now. */
  wanted(): readonly string[];
  /** This stream is about to attach the channel: from where? Its reply is the newest, whatever came before. */
  attaching(channel: string, stream: Stream): string | undefined;
  attached(channel: string, frame: AttachedFrame, stream: Stream): void;
  attachRefused(channel: string, frame: ErrorFrame, stream: Stream): void;
  /** `epoch` is that of the stream; `size` the length of the line. */
  frame(channel: string, frame: ChannelFrame, epoch: string, size: number): void;
  /** First frame of each stream and each poll. */
  welcome(frame: WelcomeFrame): void;
  /** An error that answers no command; it often comes before an end. */
  error(frame: ErrorFrame): void;
  end(end: LinkEnd): void;
}

/** What every transport is given to open a link. */
export interface LinkRequest {
  /** Of `/connect`, http or https. */
  readonly url: string;
  readonly token: string | undefined;
  readonly host: LinkHost;
  readonly runtime: Runtime;
  readonly timing: LinkTiming;
  readonly fetch: typeof fetch;
  readonly WebSocket: typeof WebSocket;
  readonly headers: Readonly<Record<string, string>>;
}

/** Times of a link, ms. */
export interface LinkTiming {
  /** Silence after which the server is asked whether it is there, and the length of a long poll. */
  readonly pingInterval: number;
  /** How long an answer to that may take. */
  readonly pongTimeout: number;
}

/**
 * One connection to the server, by whichever transport.
 *
 * Promises: frames are told in the order of the wire; each command is answered at most once, and perhaps never;
 * commands of one link reach the server in the order of `send`; `end` is told exactly once unless `close` came
 * first; a link that hears nothing ends by itself. A link is `open` from its first `welcome` on; before that,
 * nothing is sent to it.
 */
export interface Link {
  send(command: Command): void;
  /** Attaches what is wanted and detaches what is not, from where the channels stand now. */
  sync(): void;
  /** The channel's reader misses something: attach again from its position. */
  reattach(channel: string): void;
  /** Is the server still there? Ends the link soon where it is not. */
  probe(): void;
  close(): void;
}

/** Opens a link of one transport. */
export type Transport = (request: LinkRequest) => Link;
