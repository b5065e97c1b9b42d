import type { ChannelRef, Item, Outgoing, WireFormat } from "./ports.ts";

/** An item that is encoded at most once per format, when the first reader of that format needs it. */
export class SharedItem implements Outgoing {
  readonly channel: ChannelRef;
  readonly item: Item;
  readonly #encoded: unknown[] = [];

  constructor(channel: ChannelRef, item: Item) {
    this.channel = channel;
    this.item = item;
  }

  encoded<T>(format: WireFormat<T>): T {
    return (this.#encoded[format.slot] ??= format.encode(this.channel, this.item)) as T;
  }
}
