import type { Entry } from "../protocol/message.ts";
import { PAGE_BYTES, PAGE_MESSAGES } from "../protocol/limits.ts";
import type { Position } from "../protocol/position.ts";
import type { Context } from "./context.ts";
import type { Definition } from "./definitions.ts";
import { LiveCursors } from "./live-cursors.ts";
import { SharedItem } from "./outgoing.ts";
import { PageCache, type PageQuery } from "./page-cache.ts";
import type {
  ChannelRef,
  ChannelSpec,
  Item,
  MaybePromise,
  Outgoing,
  Page,
  Subscription,
  Timed,
} from "./ports.ts";
import { PublishQueue } from "./publish-queue.ts";
import type { TailView } from "./step.ts";
import { Tail } from "./tail.ts";
import type { Batching } from "./turn.ts";

/** The tail's own bounds; a channel's retention may be tighter. */
const TAIL_COUNT = 1_024;
const TAIL_BYTES = 1024 * 1024;

/** Does this node follow the channel at the broker? */
type Following =
  | { readonly is: "no" }
  | { readonly is: "opening"; readonly done: Promise<void> }
  | { readonly is: "yes"; readonly subscription: Subscription };

/**
 * A channel on this node: who reads it here, the newest entries, and what came in this turn. Its order is the
 * broker's; nothing here decides an offset.
 */
export class Channel implements ChannelRef, Batching, Timed {
  readonly name: string;
  readonly number: number;
  readonly definition: Definition;
  readonly spec: ChannelSpec;
  readonly publishes: PublishQueue;
  readonly #context: Context;
  // Made when somebody reads: most channels only are published to, and are made anew where there are many.
  #tail: Tail | undefined;
  #live: LiveCursors | undefined;
  #resting: LiveCursors | undefined;
  #pages: PageCache | undefined;
  #following: Following = { is: "no" };
  /** Cursors in any state but `ended`: while there are some, the channel is followed. */
  #users = 0;
  #epoch = "";
  #head = 0;
  #batch: Entry[] = [];
  #batchBytes = 0;
  #dirty = false;
  #onWheel = false;
  #lastFrame = 0;

  constructor(context: Context, name: string, number: number, definition: Definition) {
    this.#context = context;
    this.name = name;
    this.number = number;
    this.definition = definition;
    this.spec = definition.spec(name);
    this.publishes = new PublishQueue(context, this.spec);
  }

  /** Nobody reads it here and nothing is on its way: the node may forget it. */
  get idle(): boolean {
    return this.#users === 0 && this.#following.is === "no" && this.publishes.idle;
  }

  /** The newest position that this node has seen; meaningful while it is followed. */
  get head(): Position {
    return { epoch: this.#epoch, offset: this.#head };
  }

  get followed(): boolean {
    return this.#following.is === "yes";
  }

  /** Cursors that get what comes. */
  get live(): LiveCursors {
    return (this.#live ??= new LiveCursors());
  }

  /** Cursors that asked for less and have all there is: they get no batch, but read on when one has come. */
  get resting(): LiveCursors {
    return (this.#resting ??= new LiveCursors());
  }

  /** Where nothing is kept, the newest message still has to be there when its reader wants it. */
  keepNewest(): void {
    const { keep, retention } = this.spec;
    if (keep === "nothing") this.#tail ??= new Tail({ ...retention, count: 1 });
  }

  view(): TailView {
    this.#tail?.expire(this.#context.broker.time());
    return {
      keep: this.spec.keep,
      epoch: this.#epoch,
      head: this.#head,
      first: this.#tail?.first ?? this.#head + 1,
    };
  }

  // --- following -------------------------------------------------------------------------------------------

  /** Counts a user and follows the channel. `undefined` where it is followed already. */
  enter(): MaybePromise<void> {
    this.#users++;
    switch (this.#following.is) {
      case "yes":
        return undefined;
      case "opening":
        return this.#following.done;
      case "no":
        return this.#follow();
    }
  }

  /** One user less; the last one ends the subscription at the broker. */
  leave(): void {
    this.#users--;
    if (this.#users > 0 || this.#following.is !== "yes") return;
    const { subscription } = this.#following;
    this.#following = { is: "no" };
    this.#batch = [];
    this.#batchBytes = 0;
    this.#standAt({ epoch: "", offset: 0 });
    subscription.close();
  }

  #follow(): MaybePromise<void> {
    const { keep, retention } = this.spec;
    if (keep === "history")
      this.#tail ??= new Tail({
        count: Math.min(TAIL_COUNT, retention.count),
        bytes: Math.min(TAIL_BYTES, retention.bytes),
        age: retention.age,
      });
    const opened = this.#context.broker.subscribe(this.spec, this.#appended);
    if (!(opened instanceof Promise)) return this.#followed(opened);
    const done = opened.then(
      (subscription) => this.#followed(subscription),
      (error: unknown) => {
        this.#following = { is: "no" };
        throw error;
      },
    );
    this.#following = { is: "opening", done };
    return done;
  }

  #followed(subscription: Subscription): void {
    const { epoch, offset } = subscription.head;
    this.#following = { is: "yes", subscription };
    // What came in between the broker's answer and this turn is beyond it already.
    if (this.#epoch < epoch || (this.#epoch === epoch && this.#head < offset))
      this.#standAt(subscription.head);
    // All who asked may have gone while the broker was answering.
    if (this.#users > 0) return;
    this.#users++;
    this.leave();
  }

  // --- what the broker delivers ------------------------------------------------------------------------------

  readonly #appended = (epoch: string, entries: readonly Entry[]): void => {
    if (epoch < this.#epoch) return;
    if (entries.length === 0) return this.#forgetTail();
    // The log lost its past: no reader stands right before what follows, so all ask the broker, which tells the gap.
    if (epoch !== this.#epoch) this.#standAt({ epoch, offset: 0 });
    for (const entry of entries) {
      // The last reader may have gone, in the write of a full batch too: the next one starts from what the broker says.
      if (this.#following.is === "no") return;
      if (entry.offset <= this.#head) continue;
      // A hole: what is known no longer joins what came, so readers ask the broker.
      if (entry.offset !== this.#head + 1) this.#forgetTail();
      this.#head = entry.offset;
      this.#tail?.push(entry);
      this.#batch.push(entry);
      this.#batchBytes += entry.data.length;
      if (this.#batch.length >= PAGE_MESSAGES || this.#batchBytes >= PAGE_BYTES) this.flush();
    }
    if (this.#dirty || this.#batch.length === 0) return;
    this.#dirty = true;
    this.#context.turn.add(this);
  };

  /** From here on, and from nowhere before, this node knows the log. */
  #standAt({ epoch, offset }: Position): void {
    this.#forgetTail();
    this.#epoch = epoch;
    this.#head = offset;
  }

  #forgetTail(): void {
    this.flush();
    this.#tail?.clear();
    this.#pages = undefined;
  }

  /** Writes the turn's batch to every live cursor that stands right before it. */
  flush(): number {
    this.#dirty = false;
    const entries = this.#batch;
    const first = entries[0];
    if (!first) return 0;
    this.#batch = [];
    this.#batchBytes = 0;
    const after = first.offset - 1;
    const last = after + entries.length;
    const batch = new SharedItem(this, { is: "messages", epoch: this.#epoch, after, entries });
    this.#lastFrame = this.#context.clock.now();
    this.#live?.deliver(batch, { epoch: this.#epoch, after, last });
    this.#resting?.lagAll();
    return entries.length;
  }

  // --- what is no message ------------------------------------------------------------------------------------

  /** The channel has a live cursor: from now on it repeats its position when it is quiet. */
  watch(): void {
    if (this.#onWheel) return;
    this.#onWheel = true;
    this.#context.wheel.add(this, this.#context.intervals.mark);
  }

  /** The broker has more than it delivered: all readers read on from where they are. */
  jump(head: Position): void {
    this.#standAt(head);
    this.#live?.lagAll();
    this.#resting?.lagAll();
  }

  /** Tells all that have all there is what is no message. */
  tell(item: Item): void {
    const outgoing = new SharedItem(this, item);
    this.#live?.tell(outgoing);
    this.#resting?.tell(outgoing);
  }

  /** A quiet channel repeats its newest position: who is below it has lost something and learns it here. */
  expire(now: number): number {
    const interval = this.#context.intervals.mark;
    const time = this.#context.broker.time();
    // Who came back together has been served by now, and what is too old is not held on to for anybody.
    this.#pages = undefined;
    this.#tail?.expire(time);
    this.#onWheel = (this.#live?.size ?? 0) + (this.#resting?.size ?? 0) > 0;
    if (!this.#onWheel) return 0;
    const quiet = now - this.#lastFrame;
    if (quiet < interval) return interval - quiet;
    const mark = new SharedItem(this, { is: "mark", position: this.head, time });
    this.#live?.mark(mark, this.head);
    this.#resting?.mark(mark, this.head);
    this.#lastFrame = now;
    return interval;
  }

  // --- catch-up ---------------------------------------------------------------------------------------------

  /** A page that somebody else has read lately and that still is what follows. */
  sharedPage(query: PageQuery): Outgoing | undefined {
    const oldest = this.#context.broker.time() - this.spec.retention.age;
    return this.#pages?.find(query, this.#head, oldest);
  }

  /** The page of the tail that follows. */
  tailPage(query: PageQuery): Outgoing {
    const entries = this.#tail?.after(query.last, PAGE_MESSAGES, PAGE_BYTES) ?? [];
    return this.share(query, { epoch: this.#epoch, head: this.#head, entries });
  }

  /** Keeps a page for those who come back at the same time: it is encoded once for all. */
  share(query: PageQuery, { epoch, head, entries }: Pick<Page, "epoch" | "head" | "entries">): Outgoing {
    const pages = epoch === this.#epoch ? (this.#pages ??= new PageCache(this.spec.keep)) : undefined;
    const some = pages?.cut(entries, head) ?? entries;
    const page = new SharedItem(this, { is: "messages", epoch, after: query.last, entries: some });
    pages?.add(query, page, some, head);
    return page;
  }

  /** The broker's answer to a cursor that the tail does not reach back to. */
  read({ epoch, last, began }: PageQuery & { readonly epoch: string }): MaybePromise<Page | undefined> {
    return this.#context.broker.read(
      this.spec,
      { at: "position", position: { epoch, offset: last }, began },
      { messages: PAGE_MESSAGES, bytes: PAGE_BYTES },
    );
  }
}
