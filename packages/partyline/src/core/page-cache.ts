import type { Entry, Keep } from "../protocol/message.ts";
import type { Outgoing } from "./ports.ts";

const PAGES = 4;

/** What a reader asks for when it reads on. */
export interface PageQuery {
  /** Offset that the page follows. */
  readonly last: number;
  /** See `began` of `Since`. */
  readonly began: number;
}

interface CachedPage {
  readonly page: Outgoing;
  readonly began: number;
  /** The log's head when the page was read. */
  readonly head: number;
  /** Offset of its newest entry. */
  readonly last: number;
  /** Time of its oldest entry. */
  readonly time: number;
}

/** The newest few pages of catch-up of one channel, by the offset they follow. */
export class PageCache {
  readonly #keep: Keep;
  // Made with the first page: most channels never have one.
  #pages: Map<number, CachedPage> | undefined;

  constructor(keep: Keep) {
    this.#keep = keep;
  }

  /**
   * @param head Offset of the channel's head now.
   * @param oldest Ms: messages of a history that are older may no longer be read.
   */
  find({ last, began }: PageQuery, head: number, oldest: number): Outgoing | undefined {
    const cached = this.#pages?.get(last);
    if (!cached) return undefined;
    // Any later message may replace an entry of a state; and whether a deletion behind this place was forgotten
    // depends on where the reader began. A page of a history stays what it is, but grows where it ended at the head.
    const same = cached.head === head;
    if (this.#keep !== "history") return same && cached.began === began ? cached.page : undefined;
    return cached.time >= oldest && (same || cached.last < cached.head) ? cached.page : undefined;
  }

  add(query: PageQuery, page: Outgoing, entries: readonly Entry[], head: number): void {
    const first = entries[0];
    const end = entries.at(-1);
    if (!first || !end) return;
    const { last, began } = query;
    this.#pages ??= new Map();
    this.#pages.delete(last);
    this.#pages.set(last, { page, began, head, last: end.offset, time: first.time });
    const oldest = this.#pages.keys().next().value;
    if (this.#pages.size > PAGES && oldest !== undefined) this.#pages.delete(oldest);
  }

  clear(): void {
    this.#pages = undefined;
  }
}
