import type { PageLimit, Retention } from "../../core/ports.ts";
import { type Entry, entryBytes } from "../../protocol/message.ts";
import { Deque } from "./deque.ts";

/** A retention that leaves no message. */
export const NOTHING_KEPT: Retention = Object.freeze({ count: 0, bytes: 0, age: -1 });

/** What a channel keeps of its messages; one implementation per `keep`. */
export interface Log {
  /** What the entries cost, as retention counts it. */
  readonly bytes: number;
  /** Takes an entry whose offset is one more than that of the entry before. */
  push(entry: Entry): void;
  /** Drops what is beyond the bounds at this time. The newest message always fits, until its age is over. */
  trim(retention: Retention, now: number): void;
  /** Offset of the oldest message kept, `head + 1` where none is. */
  oldest(head: number): number;
  /** A reader below this offset can't be brought up to date from what is kept. */
  floor(head: number): number;
  /** How many kept messages have a greater offset. */
  remaining(after: number): number;
  /** The kept messages with a greater offset, in order, up to the limit. */
  read(after: number, limit: PageLimit): Entry[];
  /** Will time alone empty it? A life does not end while there is something that stays. */
  expires(): boolean;
}

/** Collects a page: at least one entry, unless none is wanted at all. */
export class PageBuilder {
  readonly entries: Entry[] = [];
  #bytes = 0;
  readonly #limit: PageLimit;

  constructor(limit: PageLimit) {
    this.#limit = limit;
  }

  /** False where the entry does not fit any more: the page is done. */
  take(entry: Entry): boolean {
    const { entries } = this;
    if (entries.length >= this.#limit.messages) return false;
    if (entries.length > 0 && this.#bytes + entry.data.byteLength > this.#limit.bytes) return false;
    this.#bytes += entry.data.byteLength;
    entries.push(entry);
    return true;
  }
}

/** The log of a `history` channel: the newest entries, without a hole. One object, because there is one per channel. */
export class HistoryLog extends Deque<Entry> implements Log {
  bytes = 0;

  override push(entry: Entry): void {
    super.push(entry);
    this.bytes += entryBytes(entry);
  }

  /** Drops the oldest messages until no more than this remains, and the newest. */
  shorten(bytes: number): void {
    while (this.length > 1 && this.bytes > bytes) this.#drop();
  }

  trim(retention: Retention, now: number): void {
    while (this.length > 1 && (this.length > retention.count || this.bytes > retention.bytes)) this.#drop();
    for (let first = this.at(0); first && now - first.time > retention.age; first = this.at(0)) this.#drop();
  }

  oldest(head: number): number {
    return head + 1 - this.length;
  }

  floor(head: number): number {
    return head - this.length;
  }

  remaining(after: number): number {
    const first = this.at(0);
    if (first === undefined) return 0;
    return this.length - Math.max(0, after + 1 - first.offset);
  }

  read(after: number, limit: PageLimit): Entry[] {
    const page = new PageBuilder(limit);
    const first = this.at(0);
    if (first === undefined) return page.entries;
    for (let index = Math.max(0, after + 1 - first.offset); index < this.length; index++) {
      const entry = this.at(index);
      if (entry === undefined || !page.take(entry)) break;
    }
    return page.entries;
  }

  expires(): boolean {
    return true;
  }

  #drop(): void {
    const entry = this.shift();
    if (entry) this.bytes -= entryBytes(entry);
  }
}

/** The log of a `nothing` channel: offsets are counted, and that is all. */
export const NO_LOG: Log = {
  bytes: 0,
  push: () => undefined,
  trim: () => undefined,
  oldest: (head) => head + 1,
  floor: (head) => head,
  remaining: () => 0,
  read: () => [],
  expires: () => true,
};
