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
import type { Codec } from "./codec.ts";
import type { PartylineError } from "../protocol/partyline-error.ts";
import type { BackoffOptions } from "./backoff.ts";
import type { Runtime } from "./runtime.ts";

/** A way to the server, by name. */
export type TransportName = "ws" | "sse" | "poll";

/** A command that is answered: a publish or a delete. */
export interface Command {
  readonly channel: string;
  /** Does it end the hold of its channel? */
  readonly first: boolean;
  /**
   * The members of the frame but `n` and `first`, as JSON without braces. Asked for when it leaves, which over HTTP is
   * later than `send`: `undefined` where it must not be sent any more, because it was, or will be, sent again in its
   * place.
   */
  fields(): string | undefined;
  answer(frame: ResultFrame | RefusalFrame): void;
}

/** A refusal of a command: by the server, or by the link itself with a code that never travels. */
export interface RefusalFrame extends Omit<ErrorFrame, "code" | "retryAfter"> {
  readonly code: PartylineError["code"];
  readonly retryAfter?: number | undefined;
}

/** What concerns one channel, in the order of the wire. */
export type ChannelFrame = MessageFrame | GapFrame | SkipFrame | MarkFrame | StaleFrame | DetachedFrame;

/** The reader of a channel, as links know it. */
export interface ChannelReader {
  /** This stream is about to attach the channel: from where, and how? */
  attaching(stream: object): {
    readonly since: string | undefined;
    readonly began?: string | undefined;
    readonly maxRate: number | undefined;
  };
  attached(frame: AttachedFrame, stream: object): void;
  refused(frame: RefusalFrame): void;
  /**
   * @param epoch The epoch of the stream.
   * @param size The mean length of the lines that came with the frame.
   */
  frame(frame: ChannelFrame, epoch: string, size: number): void;
}

/** What a link asks and tells. Nothing is told after `end`, nor after the link was closed. */
export interface LinkHost {
  /** Replaces {@link jsonCodec}. */
  readonly parse?: Codec["parse"];
  /** Names of the channels that should be attached now. */
  wanted(): readonly string[];
  reader(channel: string): ChannelReader | undefined;
  /** First frame of each stream and each poll. */
  welcome(frame: WelcomeFrame): void;
  /** A probe was answered. */
  alive(): void;
  /** The server asks to be left: it serves this link until another one is open, but not for long. */
  drain(): void;
  /**
   * Why it is over; an error that is not retryable means that the server does not want this client unchanged.
   * `silence`: how long nothing had been heard, ms, where it ended without a word. The `cause` of an error that is
   * `offline` may be the close code of a WebSocket.
   */
  end(error: PartylineError, silence?: number): void;
}

/** Times of a link, ms. */
export interface LinkTiming {
  /** Silence after which the server is asked whether it is there; a long poll, or the silence on a stream, is a fifth shorter. */
  readonly pingInterval: number;
  /** How long an answer to that may take. */
  readonly pongTimeout: number;
}

/** What every transport is given to open a link. */
export interface LinkRequest extends LinkTiming, BackoffOptions {
  /** Of `/connect`, http or https. */
  readonly url: string;
  readonly token: string | undefined;
  readonly host: LinkHost;
  readonly runtime: Runtime;
  readonly fetch: typeof fetch;
  readonly WebSocket: typeof WebSocket;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly credentials?: RequestCredentials | undefined;
}

/**
 * One connection to the server, by whichever transport.
 *
 * Promises: frames are told in the order of the wire; each command is answered at most once, and perhaps never;
 * commands of one link reach the server in the order of `send`; `end` is told exactly once unless `close` came
 * first; a link that hears nothing ends by itself. Before the first `welcome` nothing is sent to it.
 */
export interface Link {
  send(command: Command): void;
  /** Attaches what is wanted and detaches what is not, from where the channels stand now. */
  sync(): void;
  /** The channel's reader misses something: attach again from its position. */
  reattach(channel: string): void;
  /** Is the server still there? Tells `alive`, or ends the link within 2 s. */
  probe(): void;
  close(): void;
}

/** Opens a link of one transport. */
export type Transport = (request: LinkRequest) => Link;

/** How to get at each transport: what is used first is at hand, the others are loaded when they are needed. */
export type Transports = Readonly<Record<TransportName, () => Transport | Promise<Transport>>>;
