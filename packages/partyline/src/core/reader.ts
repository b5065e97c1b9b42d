import { PartylineError, toPartylineError } from "../protocol/errors.ts";
import { defaultSince } from "../protocol/since.ts";
import { formatPosition, type Position, type Since } from "../protocol/position.ts";
import type { Channels } from "./channels.ts";
import type { Context } from "./context.ts";
import { Cursor, type CursorOwner } from "./cursor.ts";
import { SharedItem } from "./outgoing.ts";
import type {
  AttachAnswer,
  Connection,
  Grants,
  Item,
  MaybePromise,
  Outgoing,
  Page,
  Reader,
} from "./ports.ts";
import { nextStep } from "./step.ts";

/** Pages that one reader is given before others get their turn. */
const PAGES_PER_TURN = 8;

/**
 * The delivery side of one connection. Holds nothing back: what its cursors have not been given stands in the log,
 * and is read on from there when the socket takes bytes again.
 */
export class ChannelReader implements Reader, CursorOwner {
  readonly #context: Context;
  readonly #channels: Channels;
  readonly #connection: Connection;
  /** Few, and mostly one: a list costs less than a map, on each of a hundred thousand connections. */
  readonly #cursors: Cursor[] = [];
  /** Served in turn, a page each, so that a big channel does not hold up the small ones. */
  readonly #lagging: Cursor[] = [];
  grants: Grants;
  #state: "open" | "full" | "ended" = "open";
  #corked = false;
  #waiting = false;

  constructor(context: Context, channels: Channels, connection: Connection, grants: Grants) {
    this.#context = context;
    this.#channels = channels;
    this.#connection = connection;
    this.grants = grants;
  }

  /** May it be written to? */
  get ready(): boolean {
    return this.#state === "open";
  }

  get attached(): readonly Cursor[] {
    return this.#cursors;
  }

  // --- attach -----------------------------------------------------------------------------------------------

  attach(name: string, since: Since | undefined): MaybePromise<AttachAnswer> {
    const channel = this.#channels.get(name);
    if (!this.grants.allows("subscribe", channel.name))
      throw new PartylineError("forbidden", `Not allowed to subscribe to "${channel.name}".`);
    this.detach(channel.name);
    const { channelsPerConnection } = this.#context.limits;
    if (this.#cursors.length >= channelsPerConnection)
      throw new PartylineError(
        "too-many-channels",
        `This connection has ${channelsPerConnection} channels already.`,
      );
    const cursor = new Cursor(channel, this, channel.head);
    this.#cursors.push(cursor);
    try {
      const entered = channel.enter();
      const answer = entered ? entered.then(() => this.#place(cursor, since)) : this.#place(cursor, since);
      return answer instanceof Promise
        ? answer.catch((error: unknown) => this.#abandon(cursor, error))
        : answer;
    } catch (error) {
      return this.#abandon(cursor, error);
    }
  }

  #abandon(cursor: Cursor, error: unknown): never {
    this.#end(cursor);
    throw toPartylineError(error);
  }

  /** The channel is followed: where does this cursor stand? */
  #place(cursor: Cursor, given: Since | undefined): MaybePromise<AttachAnswer> {
    const { channel } = cursor;
    const since = given ?? defaultSince(channel.spec.keep);
    const { head } = channel;
    // At the head there is nothing to ask the broker for.
    const atHead =
      since.at === "now" ||
      (since.at === "position" &&
        since.position.epoch === head.epoch &&
        since.position.offset === head.offset);
    if (atHead) return this.#answer(cursor, { position: head, gap: undefined, remaining: 0 });
    const page = this.#context.broker.read(channel.spec, since, { messages: 0, bytes: 0 });
    const placed = (read: Page | undefined): AttachAnswer => {
      if (read && (read.gap || since.at !== "position")) cursor.began = read.head;
      return this.#answer(cursor, read ?? nothing(head));
    };
    return page instanceof Promise ? page.then(placed) : placed(page);
  }

  #answer(cursor: Cursor, start: Pick<Page, "position" | "gap" | "remaining">): AttachAnswer {
    const { channel } = cursor;
    cursor.epoch = start.position.epoch;
    cursor.last = start.position.offset;
    this.#context.metrics.count("attached");
    if (start.gap) this.#context.metrics.count("gaps", start.gap.reason);
    return {
      channel,
      position: start.position,
      gap: start.gap,
      head: channel.head,
      replayed: start.remaining,
      keep: channel.spec.keep,
    };
  }

  start(name: string): void {
    const cursor = this.#cursors.find((one) => one.channel.name === name);
    if (cursor?.state !== "attached") return;
    cursor.state = "lagging";
    this.#lagging.push(cursor);
    this.#pump();
  }

  detach(name: string): boolean {
    const cursor = this.#cursors.find((one) => one.channel.name === name);
    if (!cursor) return false;
    this.#end(cursor);
    return true;
  }

  #end(cursor: Cursor): void {
    if (cursor.state === "ended") return;
    if (cursor.state === "live") cursor.channel.live.remove(cursor);
    cursor.state = "ended";
    remove(this.#cursors, cursor);
    remove(this.#lagging, cursor);
    this.#channels.left(cursor.channel);
  }

  // --- writing ----------------------------------------------------------------------------------------------

  /** Hands one item to the connection; what several channels write in one turn leaves together. */
  write(outgoing: Outgoing): void {
    if (this.#state === "ended") return;
    if (this.#cursors.length > 1) this.corkTurn();
    if (!this.#connection.write(outgoing) && this.#state === "open") this.#state = "full";
  }

  /** Joins all that is written until the end of this turn. */
  corkTurn(): void {
    if (this.#corked || this.#state === "ended") return;
    this.#corked = true;
    this.#context.turn.cork(this);
  }

  cork(): void {
    this.#connection.cork();
  }

  uncork(): void {
    this.#corked = false;
    this.#connection.uncork();
  }

  drained(): void {
    if (this.#state !== "full") return;
    this.#state = "open";
    this.#pump();
  }

  closed(): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    for (const cursor of this.#cursors.slice()) this.#end(cursor);
  }

  // --- catch-up ---------------------------------------------------------------------------------------------

  /** A live cursor that can't be given the batch reads on by itself. */
  lag(cursor: Cursor): void {
    if (cursor.state !== "live") return;
    cursor.channel.live.remove(cursor);
    cursor.state = "lagging";
    this.#lagging.push(cursor);
    this.#context.metrics.count("lagging");
    if (this.ready) this.#pumpLater();
  }

  #pumpLater(): void {
    if (this.#waiting) return;
    this.#waiting = true;
    this.#context.turn.addBehind(this);
  }

  /** The next turn of a long catch-up. */
  flush(): void {
    this.#waiting = false;
    this.#pump();
  }

  #pump(): void {
    for (let pages = 0; this.ready; pages++) {
      const cursor = this.#lagging.shift();
      if (!cursor) return;
      if (pages === PAGES_PER_TURN) {
        this.#lagging.unshift(cursor);
        return this.#pumpLater();
      }
      this.#advance(cursor);
      if (cursor.state === "lagging") this.#lagging.push(cursor);
    }
  }

  #advance(cursor: Cursor): void {
    const { channel } = cursor;
    const view = channel.view();
    const step = nextStep(cursor, view);
    switch (step.do) {
      case "live":
        return this.#goLive(cursor);
      case "skip":
        return this.#skip(cursor, step.to);
      case "deliver":
        return this.#deliver(cursor, channel.sharedPage(cursor.last) ?? channel.tailPage(cursor.last));
      case "read": {
        const shared = cursor.epoch === view.epoch ? channel.sharedPage(cursor.last) : undefined;
        if (shared) return this.#deliver(cursor, shared);
        const page = channel.read({ epoch: cursor.epoch, offset: cursor.last }, cursor.began);
        if (!(page instanceof Promise)) return this.#take(cursor, page);
        cursor.state = "reading";
        page.then(
          (read) => this.#resume(cursor, () => this.#take(cursor, read)),
          (error: unknown) => this.#failed(cursor, error),
        );
      }
    }
  }

  #goLive(cursor: Cursor): void {
    cursor.state = "live";
    cursor.channel.live.add(cursor);
    cursor.channel.watch();
  }

  #resume(cursor: Cursor, then: () => void): void {
    if (cursor.state !== "reading") return;
    cursor.state = "lagging";
    then();
    if (cursor.state !== "lagging") return;
    this.#lagging.push(cursor);
    this.#pump();
  }

  #deliver(cursor: Cursor, page: Outgoing): void {
    if (page.item.is === "messages") cursor.last = page.item.entries.at(-1)?.offset ?? cursor.last;
    this.write(page);
  }

  /** What the broker answered to a cursor that asked it to read on. */
  #take(cursor: Cursor, page: Page | undefined): void {
    const { channel } = cursor;
    if (!page)
      return this.#failed(cursor, new Error(`The broker has no channel "${channel.name}" any more.`));
    if (page.gap) {
      cursor.began = page.head;
      this.#context.metrics.count("gaps", page.gap.reason);
      this.#tell(cursor, { is: "gap", gap: page.gap });
    }
    cursor.epoch = page.epoch;
    cursor.last = page.position.offset;
    if (page.entries.length > 0)
      return this.#deliver(cursor, channel.share(page.epoch, cursor.last, page.entries));
    // Nothing is kept between here and the head, and nothing was promised.
    if (page.head > cursor.last) this.#skip(cursor, page.head);
  }

  #skip(cursor: Cursor, to: number): void {
    const from: Position = { epoch: cursor.epoch, offset: cursor.last };
    cursor.last = to;
    this.#context.metrics.count("skips");
    this.#tell(cursor, { is: "skip", from, to: { epoch: cursor.epoch, offset: to } });
  }

  #tell(cursor: Cursor, item: Item): void {
    this.write(new SharedItem(cursor.channel, item));
  }

  /** The broker can't answer: the connection ends, and its client comes back at the same position. */
  #failed(cursor: Cursor, error: unknown): void {
    if (this.#state === "ended") return;
    this.#context.logger.error("reading a channel failed", {
      channel: cursor.channel.name,
      position: formatPosition({ epoch: cursor.epoch, offset: cursor.last }),
      error: String(error),
    });
    this.#connection.close(toPartylineError(error));
    this.closed();
  }
}

function nothing(head: Position): Pick<Page, "position" | "gap" | "remaining"> {
  return { position: head, gap: undefined, remaining: 0 };
}

function remove(list: Cursor[], cursor: Cursor): void {
  const index = list.indexOf(cursor);
  if (index >= 0) list.splice(index, 1);
}
