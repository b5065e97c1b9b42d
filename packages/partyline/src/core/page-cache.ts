import type { Entry, Keep } from "../protocol/message.ts";
import type { Outgoing } from "./ports.ts";

/** So many pages are held for whoever comes next. */
const HELD = 4;
/** Most that are known: 16 MiB of data at 64 KiB each, as much as a channel keeps where nothing else is said. */
const KNOWN = 256;

/** What a reader asks for when it reads on. */
export interface PageQuery {
  /** Offset that the page follows. */
  readonly last: number;
  /** See `began` of `Since`. */
  readonly began: number;
}

interface CachedPage {
  readonly page: WeakRef<Outgoing>;
  readonly began: number;
  /** The log's head when the page was read. */
  readonly head: number;
  /** Offset of its newest entry. */
  readonly last: number;
  /** Time of its oldest entry. */
  readonly time: number;
}

/**
 * The pages of catch-up of one channel that somebody has read lately, by the offset they follow. Only the newest few are
 * held. But readers who come back together, each as fast as its socket drains, are soon further apart than those reach;
 * and the older pages are still there, in sockets or until the next collection. Those who come behind share them while
 * they are: to make them anew for each is what would fill the memory. (40 readers over SSE, each 16 MB behind: 61 MB
 * more and not 190. Over WebSocket 355 pages are encoded and not 9 750.)
 */
export class PageCache {
  readonly #keep: Keep;
  readonly #pages = new Map<number, CachedPage>();
  #held: readonly Outgoing[] = [];

  constructor(keep: Keep) {
    this.#keep = keep;
  }

  /**
   * @param head Offset of the channel's head now.
   * @param oldest Ms: messages of a history that are older may no longer be read.
   */
  find({ last, began }: PageQuery, head: number, oldest: number): Outgoing | undefined {
    const cached = this.#pages.get(last);
    if (!cached) return undefined;
    // Any later message may replace an entry of a state; and whether a deletion behind this place was forgotten
    // depends on where the reader began. A page of a history stays what it is, but grows where it ended at the head.
    const same = cached.head === head;
    const valid =
      this.#keep === "history"
        ? cached.time >= oldest && (same || cached.last < cached.head)
        : same && cached.began === began;
    return valid ? cached.page.deref() : undefined;
  }

  /**
   * What of these entries should be a page. One of a history that does not reach the head ends where one of the others
   * ends: from there on its reader shares theirs, wherever it began.
   */
  cut(entries: readonly Entry[], head: number): readonly Entry[] {
    const first = entries[0]?.offset ?? head;
    const last = entries.at(-1)?.offset ?? head;
    if (this.#keep !== "history" || last >= head) return entries;
    let end = 0;
    for (const page of this.#pages.values())
      if (page.last >= first && page.last <= last) end = Math.max(end, page.last);
    return end === 0 || end === last ? entries : entries.filter(({ offset }) => offset <= end);
  }

  add(query: PageQuery, page: Outgoing, entries: readonly Entry[], head: number): void {
    const first = entries[0];
    const end = entries.at(-1);
    if (!first || !end) return;
    const { last, began } = query;
    this.#held = [page, ...this.#held.slice(0, HELD - 1)];
    this.#pages.delete(last);
    this.#pages.set(last, {
      page: new WeakRef(page),
      began,
      head,
      last: end.offset,
      time: first.time,
    });
    const oldest = this.#pages.keys().next().value;
    if (this.#pages.size > KNOWN && oldest !== undefined) this.#pages.delete(oldest);
  }
}
