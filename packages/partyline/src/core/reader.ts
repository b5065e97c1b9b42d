import { PartylineError, toPartylineError } from "../protocol/errors.ts";
import { formatPosition, type Position, type Since } from "../protocol/position.ts";
import type { Channels } from "./channels.ts";
import { placeCursor } from "./commands/attach.ts";
import type { Context } from "./context.ts";
import { Cursor, type CursorOwner } from "./cursor.ts";
import { mayDo } from "./grants.ts";
import { Lagging } from "./lagging.ts";
import { SharedItem } from "./outgoing.ts";
import { Output } from "./output.ts";
import { PacedCursor } from "./paced-cursor.ts";
import type {
  AttachAnswer,
  Connection,
  Grants,
  Item,
  MaybePromise,
  Outgoing,
  Pace,
  Page,
  Reader,
} from "./ports.ts";

/** Pages that one reader is given before others get their turn. */
const PAGES_PER_TURN = 8;

/**
 * The delivery side of one connection. Holds nothing back: what its cursors have not been given stands in the log,
 * and is read on from there when the socket takes bytes again.
 */
export class ChannelReader extends Output implements Reader, CursorOwner {
  readonly #channels: Channels;
  /** Few, and mostly one: a list costs less than a map, on each of a hundred thousand connections. */
  #cursors: readonly Cursor[] = [];
  /** Served in turn, a page each, so that a big channel does not hold up the small ones. */
  #lagging: Lagging<Cursor> | undefined;
  grants: Grants;
  #waiting = false;

  constructor(context: Context, channels: Channels, connection: Connection, grants: Grants) {
    super(context, connection);
    this.#channels = channels;
    this.grants = grants;
  }

  get attached(): readonly Cursor[] {
    return this.#cursors;
  }

  // --- attach -----------------------------------------------------------------------------------------------

  attach(name: string, since: Since | undefined, pace?: Pace): MaybePromise<AttachAnswer> {
    if (this.ended) throw new PartylineError("draining", "The connection has ended.");
    const channel = this.#channels.get(name);
    if (!mayDo(this.grants, "subscribe", channel.name))
      throw new PartylineError("forbidden", `Not allowed to subscribe to "${channel.name}".`);
    this.detach(channel.name);
    const { channelsPerConnection } = this.context.limits;
    if (this.#cursors.length >= channelsPerConnection)
      throw new PartylineError(
        "too-many-channels",
        `This connection has ${channelsPerConnection} channels already.`,
      );
    const { clock } = this.context;
    const cursor = pace
      ? new PacedCursor(channel, this, pace, clock)
      : new Cursor(channel, this, channel.head);
    // Not pushed: an array that grows makes room for 17, which hardly any connection needs.
    this.#cursors = [...this.#cursors, cursor];
    try {
      const answer = this.#begin(cursor, since);
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

  #begin(cursor: Cursor, since: Since | undefined): MaybePromise<AttachAnswer> {
    const { channel } = cursor;
    const place = (): MaybePromise<AttachAnswer> => {
      const placed = placeCursor(this.context, channel, since);
      return placed instanceof Promise ? placed.then(answer) : answer(placed);
    };
    const answer = (placed: AttachAnswer): AttachAnswer => this.#placed(cursor, placed);
    const entered = channel.enter();
    return entered ? entered.then(place) : place();
  }

  #placed(cursor: Cursor, answer: AttachAnswer): AttachAnswer {
    // An answer to whom it no longer concerns would start the cursor that has replaced this one.
    if (cursor.state === "ended")
      throw new PartylineError("again", "Detached, or attached anew, before the broker had answered.");
    const { position, gap, began } = answer;
    cursor.epoch = position.epoch;
    cursor.last = position.offset;
    cursor.began = began;
    this.context.metrics.count("attached");
    if (gap) this.context.metrics.count("gaps", gap.reason);
    return answer;
  }

  start(name: string): void {
    const cursor = this.#cursors.find((one) => one.channel.name === name);
    if (cursor?.state !== "attached") return;
    cursor.state = "lagging";
    // Mostly that is all. A longer one takes turns with what else is attached in this turn of the loop.
    if (this.ready) this.#advance(cursor);
    this.#lineUp(cursor);
    if (this.#lagging && this.ready) this.#pumpLater();
  }

  detach(name: string): boolean {
    const cursor = this.#cursors.find((one) => one.channel.name === name);
    if (!cursor) return false;
    this.#end(cursor);
    return true;
  }

  #end(cursor: Cursor): void {
    if (cursor.state === "ended") return;
    if (cursor.state === "live") cursor.company.remove(cursor);
    cursor.state = "ended";
    cursor.release();
    this.#cursors = this.#cursors.filter((one) => one !== cursor);
    this.#lagging?.remove(cursor);
    cursor.channel.leave();
  }

  positions(): readonly Position[] {
    return this.#cursors.map(({ epoch, last }) => ({ epoch, offset: last }));
  }

  // --- the connection ---------------------------------------------------------------------------------------

  protected get joins(): boolean {
    return this.#cursors.length > 1;
  }

  protected roomAgain(): void {
    this.#pump();
  }

  closed(): void {
    if (this.ended) return;
    this.end();
    for (const cursor of this.#cursors.slice()) this.#end(cursor);
  }

  // --- catch-up ---------------------------------------------------------------------------------------------

  /** A live cursor that is not given the batch reads on by itself. */
  lag(cursor: Cursor): void {
    if (cursor.state !== "live") return;
    cursor.company.remove(cursor);
    if (!cursor.paced) this.context.metrics.count("lagging");
    cursor.state = "lagging";
    (this.#lagging ??= new Lagging()).addFresh(cursor);
    if (this.ready) this.#pumpLater();
  }

  wake(cursor: Cursor): void {
    if (cursor.state !== "waiting") return;
    cursor.state = "lagging";
    this.#lineUp(cursor);
    if (this.ready) this.#pumpLater();
  }

  #pumpLater(): void {
    if (this.#waiting) return;
    this.#waiting = true;
    this.context.turn.addBehind(this);
  }

  /** The next turn of a long catch-up. */
  flush(): void {
    this.#waiting = false;
    this.#pump();
  }

  #pump(): void {
    for (let pages = 0; this.ready && this.#lagging; pages++) {
      if (pages === PAGES_PER_TURN) return this.#pumpLater();
      const cursor = this.#lagging.next();
      if (this.#lagging.size === 0) this.#lagging = undefined;
      if (!cursor) return;
      this.#advance(cursor);
      this.#lineUp(cursor);
    }
  }

  /**
   * Its next page comes after one of each other channel. Where it has all there is it is live, also while the socket is
   * full: what comes then is given before the rest of those that are behind.
   */
  #lineUp(cursor: Cursor): void {
    if (cursor.state !== "lagging") return;
    const { epoch, offset } = cursor.channel.head;
    if (cursor.epoch === epoch && cursor.last >= offset) this.#goLive(cursor);
    else (this.#lagging ??= new Lagging()).add(cursor);
  }

  #advance(cursor: Cursor): void {
    const { channel } = cursor;
    const view = channel.view();
    const step = cursor.next(view);
    switch (step.do) {
      case "live":
        return this.#goLive(cursor);
      case "wait":
        cursor.state = "waiting";
        return;
      case "skip":
        return this.#skip(cursor, step.to);
      case "deliver":
        return this.#deliver(cursor, channel.sharedPage(cursor) ?? channel.tailPage(cursor));
      case "read": {
        const shared = cursor.epoch === view.epoch ? channel.sharedPage(cursor) : undefined;
        return shared ? this.#deliver(cursor, shared) : this.#read(cursor);
      }
    }
  }

  #read(cursor: Cursor): void {
    try {
      const page = cursor.channel.read(cursor);
      if (!(page instanceof Promise)) return this.#take(cursor, page);
      cursor.state = "reading";
      page.then(
        (read) => this.#resume(cursor, read),
        (error: unknown) => this.#failed(cursor, error),
      );
    } catch (error) {
      this.#failed(cursor, error);
    }
  }

  #goLive(cursor: Cursor): void {
    cursor.state = "live";
    cursor.company.add(cursor);
    cursor.channel.watch();
  }

  /** What it asked for has come; where the socket has filled meanwhile, it asks again when that drains. */
  #resume(cursor: Cursor, page: Page | undefined): void {
    if (cursor.state !== "reading") return;
    cursor.state = "lagging";
    if (this.ready) this.#take(cursor, page);
    this.#lineUp(cursor);
    this.#pump();
  }

  #deliver(cursor: Cursor, page: Outgoing): void {
    if (page.item.is === "messages") cursor.last = page.item.entries.at(-1)?.offset ?? cursor.last;
    this.write(cursor.cut(page));
  }

  /** What the broker answered to a cursor that asked it to read on. */
  #take(cursor: Cursor, page: Page | undefined): void {
    const { channel } = cursor;
    if (!page)
      return this.#failed(cursor, new Error(`The broker has no channel "${channel.name}" any more.`));
    cursor.epoch = page.epoch;
    cursor.last = page.position.offset;
    if (page.gap) {
      cursor.began = page.head;
      this.context.metrics.count("gaps", page.gap.reason);
      this.#tell(cursor, { is: "gap", gap: page.gap });
      // The gap may have filled the socket, or be the last that its reader wants to hear, or all for now.
      if (cursor.state !== "lagging" || !this.ready || cursor.paced) return;
    }
    if (page.entries.length > 0) return this.#deliver(cursor, channel.share(cursor, page));
    // Nothing is kept between here and the head, and nothing was promised.
    if (page.head > cursor.last) this.#skip(cursor, page.head);
  }

  #skip(cursor: Cursor, to: number): void {
    const from: Position = { epoch: cursor.epoch, offset: cursor.last };
    cursor.last = to;
    this.context.metrics.count("skips");
    // It leaves together with the message that follows.
    this.corkTurn();
    this.#tell(cursor, { is: "skip", from, to: { epoch: cursor.epoch, offset: to } });
  }

  #tell(cursor: Cursor, item: Item): void {
    this.write(new SharedItem(cursor.channel, item));
  }

  /** The broker can't answer: the connection ends, and its client comes back at the same position. */
  #failed(cursor: Cursor, error: unknown): void {
    // Nobody waits for it any more; and a detached channel's trouble is none of the others'.
    if (cursor.state === "ended") return;
    this.context.logger.error("reading a channel failed", {
      channel: cursor.channel.name,
      position: formatPosition({ epoch: cursor.epoch, offset: cursor.last }),
      error: String(error),
    });
    this.connection.close(toPartylineError(error));
    this.closed();
  }
}
