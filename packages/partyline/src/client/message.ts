import type { MessageFrame } from "../protocol/frames.ts";
import type { EntryKind } from "../protocol/message.ts";
import type { GapReason } from "../protocol/since.ts";

/** One message of a channel. */
export interface Message<T = unknown> {
  readonly channel: string;
  /** Place in the channel, from 1, one more than that of the message before. */
  readonly offset: number;
  /** `epoch:offset`; a `since` of this goes on behind the message. */
  readonly position: string;
  /** Milliseconds since 1970 by the broker's clock. */
  readonly time: number;
  /** `deleted`: the value of `key` in a `latest` channel is gone, and `data` is undefined. */
  readonly kind: EntryKind;
  /** That of the publish, where its publisher gave one: so a publisher knows its own. */
  readonly id?: string | undefined;
  readonly key?: string | undefined;
  /** A JSON value, a string, or a Uint8Array, by `kind`. */
  readonly data: T;
}

/** Messages that were promised and did not come: a decision is asked for. */
export interface ChannelGap {
  readonly channel: string;
  /** Where the reader was. */
  readonly from: string;
  /** Where it is now; the next message follows this. */
  readonly to: string;
  /**
   * `retention`: no longer kept. `epoch`: the log lost its past. `unknown-position`: the position is not of this log.
   * `not-kept`: the channel keeps nothing. `unauthorized`: they were published while this client might not read them.
   */
  readonly reason: GapReason;
  /** How many, where that can be known. */
  readonly lost?: number | undefined;
}

/** Messages left out because the channel is of a kind that leaves out, or the subscriber asked for it. */
export interface ChannelSkip {
  readonly channel: string;
  /** Where the reader was: what follows this was left out … */
  readonly from: string;
  /** … up to this. The next message comes after it. */
  readonly to: string;
}

/**
 * The message in a frame. A client trusts its server's fields. Each is named, because leaving out two of them with a
 * rest would copy every message slowly, and twice.
 */
export function readMessage(
  channel: string,
  epoch: string,
  { offset, time, kind, id, key, data }: MessageFrame,
): Message {
  return {
    channel,
    offset,
    position: `${epoch}:${offset}`,
    time,
    kind,
    id,
    key,
    data:
      kind === "binary"
        ? Uint8Array.from(atob(data as string), (character) => character.charCodeAt(0))
        : data,
  };
}
