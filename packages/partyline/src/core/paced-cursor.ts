import type { Channel } from "./channel.ts";
import { Cursor, type CursorOwner } from "./cursor.ts";
import type { LiveCursors } from "./live-cursors.ts";
import { SharedItem } from "./outgoing.ts";
import type { Clock, Outgoing, Pace, Timer } from "./ports.ts";
import { nextPacedStep, type PacedStep, type TailView } from "./step.ts";

/**
 * The cursor of a reader that asked for less. It never gets a batch: when something has come it reads on by itself,
 * at its time. A timer of its own and not the wheel, whose second is too coarse and which forgets nobody who has left.
 */
export class PacedCursor extends Cursor {
  readonly #clock: Clock;
  /** Ms from one delivery to the next. */
  readonly #interval: number;
  /** When the next one may begin. */
  #due: number;
  /** Up to where the one that has begun goes: the head at that time. */
  #goal = { epoch: "", offset: 0 };
  #alarm: Timer | undefined;

  constructor(channel: Channel, owner: CursorOwner, { maxRate, delay }: Pace, clock: Clock) {
    super(channel, owner, channel.head);
    this.#clock = clock;
    this.#interval = 1_000 / maxRate;
    this.#due = clock.now() + delay;
    channel.keepNewest();
  }

  override get paced(): boolean {
    return true;
  }

  override get company(): LiveCursors {
    return this.channel.resting;
  }

  override next(view: TailView): PacedStep {
    const now = this.#clock.now();
    const begun = this.epoch === this.#goal.epoch && this.last < this.#goal.offset;
    const step = nextPacedStep(this, view, begun || now >= this.#due);
    if (step.do === "wait") this.#waitUntilDue(now);
    else if (!begun && this.epoch === view.epoch) this.#goal = { epoch: view.epoch, offset: view.head };
    return step;
  }

  #waitUntilDue(now: number): void {
    this.#alarm = this.#clock.setTimer(() => this.owner.wake(this), Math.ceil(this.#due - now));
  }

  /** A broker may know more than this node: of a history it gives the newest all the same. */
  override cut(page: Outgoing): Outgoing {
    this.#due = this.#clock.now() + this.#interval;
    const { item } = page;
    const newest = item.is === "messages" && item.entries.length > 1 ? item.entries.at(-1) : undefined;
    if (item.is !== "messages" || !newest || this.channel.spec.keep === "latest") return page;
    return new SharedItem(this.channel, { ...item, entries: [newest] });
  }

  override release(): void {
    this.#alarm?.cancel();
  }
}
