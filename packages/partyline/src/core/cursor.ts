import type { Channel } from "./channel.ts";
import type { LiveCursor, LiveCursors } from "./live-cursors.ts";
import type { Outgoing } from "./ports.ts";
import { nextStep, type PacedStep, type TailView } from "./step.ts";

/**
 * `attached`: answered, not started. `lagging`: reads pages. `reading`: waits for the broker. `waiting`: for the time
 * at which it wants more. `live`: has all there is. `ended`: detached, or its connection is gone.
 */
export type CursorState = "attached" | "lagging" | "reading" | "waiting" | "live" | "ended";

/** What a cursor asks of the reader that it belongs to. */
export interface CursorOwner {
  readonly ready: boolean;
  write(outgoing: Outgoing): void;
  lag(cursor: Cursor): void;
  /** The time that a cursor waited for has come. */
  wake(cursor: Cursor): void;
}

/** One reader's place in one channel. */
export class Cursor implements LiveCursor {
  readonly channel: Channel;
  protected readonly owner: CursorOwner;
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
    this.owner = owner;
    this.epoch = place.epoch;
    this.last = place.offset;
  }

  get ready(): boolean {
    return this.owner.ready;
  }

  write(outgoing: Outgoing): void {
    this.owner.write(outgoing);
  }

  lag(): void {
    this.owner.lag(this);
  }

  // --- where a cursor that asked for less does otherwise ----------------------------------------------------

  get paced(): boolean {
    return false;
  }

  /** Those among whom it stands while it is live. */
  get company(): LiveCursors {
    return this.channel.live;
  }

  next(view: TailView): PacedStep {
    return nextStep(this, view);
  }

  /** What of a page it is given. */
  cut(page: Outgoing): Outgoing {
    return page;
  }

  /** It has ended. */
  release(): void {}
}
