import type { ErrorCode, PartylineError } from "../../protocol/errors.ts";
import type { ServerFrame } from "../../protocol/frames.ts";
import type { Entry } from "../../protocol/message.ts";
import type { Position } from "../../protocol/position.ts";
import type { Gap } from "../../protocol/since.ts";

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
   * one before is a *skip* (`latest` channels have them, and readers that asked for less), which is to be told where the wire has a way.
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
  /** Asked before each attach, where that was not decided before the first one. @throws PartylineError a refusal */
  admit?(): void;
  /** Reads no more from the peer, or goes on, if the transport can choose; lines that it has read may still come. */
  stem?(stemmed: boolean): void;
}
