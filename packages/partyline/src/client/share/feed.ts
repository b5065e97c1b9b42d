import type { AttachedFrame } from "../../protocol/frames.ts";
import type { Keep } from "../../protocol/message.ts";
import { formatPosition, type Position } from "../../protocol/position.ts";
import type { ChannelFrame, ChannelReader } from "../link.ts";
import {
  jumpOf,
  positionOf,
  readAttached,
  readJump,
  readMark,
  readOffset,
  type Verdict,
} from "../read-log.ts";
import { lineOf } from "./lines.ts";
import { type Ask, askOf, isAt, placeOf, rateOf, type Reading, type ReadingItem } from "./reading.ts";

/** What a feed needs of the channel it is for. */
export interface FeedPort {
  readonly name: string;
  /** All of the channel. */
  readings(): Iterable<Reading>;
  /** Where to begin, as one of those asked who wait. */
  since(): string | undefined;
  /** Deliveries a second that the quickest of all readings asks for. */
  rate(): number;
  /** Attach again from where the feed is. `trouble` counts how often that was asked in a row without a message. */
  reattach(trouble: number): void;
  /** The server wants the reading no more. */
  drop(reading: Reading): void;
  /** Readings may have found, or lost, what brings them their messages. */
  settle(): void;
}

/**
 * A channel as one link brings it, for all the readings that ride on it. It follows the reader's rule like any reader,
 * so what it passes on is the log without holes and doubles, whatever happens to the link. Each reading gets of it what
 * comes behind its own place.
 *
 * What the server says of a position is said to whom that position is, and to nobody else: a reading that stands
 * elsewhere than a gap begins leaves the feed, and asks for itself.
 */
export interface Feed {
  /** What the link feeds. */
  readonly reader: ChannelReader;
  /** Is the channel attached, so that readings can ride on it? */
  readonly isAttached: boolean;
  /** Lets the reading ride where nothing is missing between its place and what comes. */
  join(reading: Reading): boolean;
  /** The link is gone, or, where another one goes on, `live`, what was asked on it last. */
  interrupted(live: boolean): void;
}

/** A message or a skip, and the offsets between which it leads. */
interface Piece {
  readonly line: string;
  readonly from: number;
  readonly to: number;
  readonly size: number;
}

/** What of the newest is kept, for readings that are a little behind. */
const TAIL_PIECES = 256;
const TAIL_LENGTH = 64 * 1024;

/** Awaited is the reply to an attach that has been asked for and not been sent. */
const ASKED = {};

export function createFeed(port: FeedPort): Feed {
  let cursor: Position | undefined;
  /** The newest offset that is known of. */
  let head = 0;
  let keep: Keep = "history";
  /** See `AttachFrame`. */
  let began: string | undefined;
  /**
   * Below this offset no reading may join: the log is given from somewhere on. And while the whole state of a `latest`
   * channel is being given, deletions forgotten before are no part of it, so who has an older state can't follow.
   */
  let floor = 0;
  let tail: Piece[] = [];
  let tailLength = 0;
  let attached = false;
  /** What each stream was asked last. */
  const asks = new WeakMap<object, Ask>();
  let asked: Ask | undefined;
  /** Deliveries a second. */
  let rate = 0;
  /** As in a subscription: until the reply to the newest attach comes, what is missing will come behind it. */
  let awaiting: object | undefined;
  let trouble = 0;

  const riders = (): Reading[] => [...port.readings()].filter((reading) => reading.feed === feed);
  const leave = (reading: Reading): void => {
    reading.feed = undefined;
  };
  /** The feed begins, or begins anew behind a gap. */
  const begin = (lowest: number, newest: number): void => {
    tail = [];
    tailLength = 0;
    floor = lowest;
    head = newest;
  };
  const follow = (verdict: Verdict): boolean => {
    if (typeof verdict === "object") {
      cursor = verdict;
      return true;
    }
    if (verdict === "reattach" && !awaiting) {
      awaiting = ASKED;
      port.reattach(++trouble);
    }
    return false;
  };

  const answer = (reading: Reading, frame: AttachedFrame): void => {
    reading.feed = feed;
    reading.answered = true;
    reading.give({ t: "attached", frame: { ...frame, n: reading.n } });
  };
  /** An answer of our own: the reading is where it believes to be, and `replayed` pieces follow. */
  const confirm = (reading: Reading, { epoch, offset }: Position, replayed: number): void => {
    reading.feed = feed;
    if (reading.answered) return;
    const position = formatPosition({ epoch, offset });
    const newest = formatPosition({ epoch, offset: Math.max(head, offset) });
    answer(reading, {
      t: "attached",
      n: 0,
      channel: port.name,
      c: 0,
      position,
      head: newest,
      replayed,
      keep,
    });
  };
  const givePiece = (reading: Reading, epoch: string, { line, to, size }: Piece): void => {
    reading.place = { epoch, offset: to };
    reading.give({ t: "frame", line, epoch, size });
  };
  /** The feed has taken a message or a skip. */
  const pass = (line: string, from: number, { epoch, offset }: Position, size: number): void => {
    const piece: Piece = { line, from, to: offset, size };
    head = Math.max(head, offset);
    trouble = 0;
    tail.push(piece);
    tailLength += size;
    while (tail.length > TAIL_PIECES || tailLength > TAIL_LENGTH) tailLength -= tail.shift()?.size ?? 0;
    for (const reading of riders()) {
      const { place } = reading;
      if (place?.epoch !== epoch || place.offset < from) leave(reading);
      else if (place.offset < offset) givePiece(reading, epoch, piece);
    }
  };

  const readFrame = (frame: ChannelFrame, item: ReadingItem & { readonly t: "frame" }): void => {
    const before = cursor;
    if (!before) return;
    const { epoch, line, size } = item;
    switch (frame.t) {
      case "m": {
        const place = { epoch, offset: frame.offset };
        if (follow(readOffset(before, place))) pass(line, before.offset, place, size);
        break;
      }
      case "skip": {
        const jump = jumpOf(frame);
        if (follow(readJump(before, epoch, jump, keep))) pass(line, before.offset, jump.to, size);
        break;
      }
      case "gap": {
        const jump = jumpOf(frame);
        if (!follow(readJump(before, epoch, jump, keep))) break;
        // How much of the state there is will be known by the next mark.
        begin(keep === "latest" ? Infinity : jump.to.offset, jump.to.offset);
        for (const reading of riders()) {
          if (!isAt(reading, before)) leave(reading);
          else {
            reading.place = jump.to;
            reading.give(item);
          }
        }
        break;
      }
      case "mark": {
        if (!follow(readMark(before, positionOf(frame.position)))) break;
        head = Math.max(head, before.offset);
        floor = Math.min(floor, before.offset);
        for (const reading of riders()) if (isAt(reading, before)) reading.give(item);
        break;
      }
      case "stale":
        for (const reading of riders()) reading.give(item);
        break;
      case "detached":
        if (frame.code !== "detached") end(riders(), () => item);
    }
  };
  /** The server has detached the channel. */
  const end = (readings: Reading[], item: (reading: Reading) => ReadingItem): void => {
    cursor = awaiting = undefined;
    attached = false;
    for (const reading of readings) {
      reading.give(item(reading));
      port.drop(reading);
    }
  };

  const feed: Feed = {
    get isAttached() {
      return attached;
    },
    join(reading) {
      if (!cursor || !attached || rateOf(reading) > rate) return false;
      const { since } = reading;
      const isNow = since === "now" || (!since && keep !== "latest");
      // What is new from now on begins where the feed is, if that is the newest.
      const place = reading.place ?? (isNow && cursor.offset >= head ? cursor : undefined);
      const lowest = Math.max(floor, tail[0]?.from ?? cursor.offset);
      if (
        place?.epoch !== cursor.epoch ||
        place.offset < lowest ||
        place.offset > Math.max(head, cursor.offset)
      )
        return false;
      reading.place = place;
      const missed = tail.filter(({ to }) => to > place.offset);
      confirm(reading, place, missed.length);
      for (const piece of missed) givePiece(reading, place.epoch, piece);
      return true;
    },
    interrupted(live) {
      awaiting = undefined;
      if (live) return;
      attached = false;
      for (const reading of riders()) reading.answered = false;
    },

    reader: {
      attaching(stream) {
        const most = port.rate();
        awaiting = stream;
        asked = {
          since: cursor ? formatPosition(cursor) : port.since(),
          maxRate: most < Infinity ? most : undefined,
        };
        asks.set(stream, asked);
        return { ...asked, began };
      },
      attached(frame, stream) {
        if (awaiting === stream) awaiting = undefined;
        const before = cursor;
        const ask = asks.get(stream);
        // An earlier feed of this channel has asked, which ended before the reply came. The link has no reason to ask again.
        if (!ask) return void follow("reattach");
        const { gap } = frame;
        const position = positionOf(frame.position);
        const newest = positionOf(frame.head).offset;
        keep = frame.keep;
        const verdict = readAttached(before, position, gap && jumpOf(gap), keep);
        if (!follow(verdict) && verdict === "reattach") return;
        attached = true;
        if (typeof verdict === "object") ({ began } = frame);
        if (!before || (gap && verdict !== "drop")) {
          begin(keep === "latest" && (gap || !placeOf(ask.since)) ? newest : position.offset, newest);
          for (const reading of port.readings()) {
            if (reading.feed !== (before && feed)) continue;
            leave(reading);
            if (askOf(reading) !== ask.since) continue;
            reading.place = position;
            answer(reading, frame);
          }
        } else {
          // What was left out until here is no part of what the quicker ones asked for.
          if (rateOf(ask) > rate) begin(before.offset, head);
          if (!gap) head = newest;
          for (const reading of riders()) {
            const { place } = reading;
            if (!place || place.offset > Math.max(head, before.offset)) leave(reading);
            else confirm(reading, place, 0);
          }
        }
        rate = rateOf(ask);
        port.settle();
      },
      refused(frame) {
        const whom = cursor
          ? riders()
          : [...port.readings()].filter((reading) => !reading.feed && askOf(reading) === asked?.since);
        end(whom, ({ n }) => ({ t: "refused", frame: { ...frame, n } }));
        port.settle();
      },
      frame(frame, epoch, size) {
        readFrame(frame, { t: "frame", line: lineOf(frame), epoch, size });
        port.settle();
      },
    },
  };
  return feed;
}
