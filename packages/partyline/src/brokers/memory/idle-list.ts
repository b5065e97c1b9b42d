import type { Channel } from "./channel.ts";

/**
 * The channels that nobody listens to, longest idle first. The links are in the channels themselves: a publish moves
 * one to the end, and that must cost nothing.
 */
export class IdleList {
  #first: Channel | undefined = undefined;
  #last: Channel | undefined = undefined;

  get first(): Channel | undefined {
    return this.#first;
  }

  add(channel: Channel): void {
    channel.before = this.#last;
    channel.after = undefined;
    if (this.#last === undefined) this.#first = channel;
    else this.#last.after = channel;
    this.#last = channel;
  }

  remove(channel: Channel): void {
    const { before, after } = channel;
    if (before === undefined && this.#first !== channel) return;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    channel.before = undefined;
    channel.after = undefined;
  }

  /** It was active just now. */
  touch(channel: Channel): void {
    if (this.#last === channel) return;
    this.remove(channel);
    this.add(channel);
  }
}
