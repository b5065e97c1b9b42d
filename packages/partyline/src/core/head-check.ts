import type { Position } from "../protocol/position.ts";
import type { Channel } from "./channel.ts";
import type { Channels } from "./channels.ts";
import type { Context } from "./context.ts";
import type { Head, Timed } from "./ports.ts";

/**
 * Asks the broker, now and then and in one call, for the heads of all followed channels: so a loss between broker
 * and node shows without a further message. A channel that is behind twice running is read again; where the broker
 * doesn't answer, readers are told that the channel is stale.
 */
export class HeadCheck implements Timed {
  readonly #context: Context;
  readonly #channels: Channels;
  /** Channels that were behind at the last check, by the head that they had then. */
  #behind = new Map<Channel, number>();
  /** Since when the broker has not answered, by its own clock. */
  #silentSince: number | undefined;
  #asking = false;

  constructor(context: Context, channels: Channels) {
    this.#context = context;
    this.#channels = channels;
  }

  expire(): number {
    const channels = this.#channels.followed();
    // What was asked at the last check and is not answered by now is no answer.
    if (channels.length > 0 && this.#asking) this.#silent(channels);
    else if (channels.length > 0) this.#check(channels);
    return this.#context.intervals.head;
  }

  #check(channels: readonly Channel[]): void {
    const answered = (heads: readonly (Head | undefined)[]): void => {
      this.#asking = false;
      this.#silentSince = undefined;
      this.#compare(channels, heads);
    };
    const failed = (error: unknown): void => {
      this.#asking = false;
      this.#context.logger.error("the broker did not tell its heads", { error: String(error) });
      this.#silent(channels);
    };
    try {
      const heads = this.#context.broker.heads(channels.map((channel) => channel.name));
      if (!(heads instanceof Promise)) return answered(heads);
      this.#asking = true;
      heads.then(answered, failed);
    } catch (error) {
      failed(error);
    }
  }

  #silent(channels: readonly Channel[]): void {
    const since = (this.#silentSince ??= this.#context.broker.time());
    for (const channel of channels) {
      this.#context.metrics.count("stale");
      channel.tell({ is: "stale", since });
    }
  }

  #compare(channels: readonly Channel[], heads: readonly (Head | undefined)[]): void {
    const before = this.#behind;
    this.#behind = new Map();
    for (const [index, channel] of channels.entries()) {
      const broker = heads[index]?.position;
      const { epoch, offset } = channel.head;
      if (!broker || !channel.followed || !isLater(broker, { epoch, offset })) continue;
      // Once may be a message on its way.
      if (before.get(channel) !== offset) {
        this.#behind.set(channel, offset);
        continue;
      }
      this.#context.metrics.count("stale");
      this.#context.logger.warn("a channel missed messages of its broker: reading again", {
        channel: channel.name,
      });
      channel.jump(broker);
    }
  }
}

/** A node that has heard more than the broker's answer says has heard it since: it never goes back. */
function isLater(one: Position, other: Position): boolean {
  return one.epoch === other.epoch ? one.offset > other.offset : one.epoch > other.epoch;
}
