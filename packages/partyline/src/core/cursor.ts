import type { Channel } from "./channel.ts";
import type { LiveCursor } from "./live-cursors.ts";
import type { Outgoing } from "./ports.ts";

/**
 * `attached`: answered, not started. `lagging`: reads pages. `reading`: waits for the broker. `live`: gets the turn's
 * batches. `ended`: detached, or its connection is gone.
 */
export type CursorState = "attached" | "lagging" | "reading" | "live" | "ended";

/** What a cursor asks of the reader that it belongs to. */
export interface CursorOwner {
  readonly ready: boolean;
  write(outgoing: Outgoing): void;
  lag(cursor: Cursor): void;
}

/** One reader's place in one channel. */
export class Cursor implements LiveCursor {
  readonly channel: Channel;
  readonly #owner: CursorOwner;
  epoch: string;
  last: number;
  state: CursorState = "attached";
  index = -1;
  /** Head of the log when this reader began from nothing; see `began` of `Since`. */
  began = 0;

  constructor(
    channel: Channel,
    owner: CursorOwner,
    place: { readonly epoch: string; readonly offset: number },
  ) {
    this.channel = channel;
    this.#owner = owner;
    this.epoch = place.epoch;
    this.last = place.offset;
  }

  get ready(): boolean {
    return this.#owner.ready;
  }

  write(outgoing: Outgoing): void {
    this.#owner.write(outgoing);
  }

  lag(): void {
    this.#owner.lag(this);
  }
}
