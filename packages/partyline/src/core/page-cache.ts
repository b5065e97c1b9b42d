import type { Entry } from "../protocol/message.ts";
import type { Outgoing } from "./ports.ts";

const PAGES = 4;

interface CachedPage {
  readonly page: Outgoing;
  /** The channel's head when the page was read. */
  readonly head: number;
  readonly last: number;
  readonly time: number;
}

/** The newest few pages of catch-up of one channel, by the offset they follow. */
export class PageCache {
  // Made with the first page: most channels never have one.
  #pages: Map<number, CachedPage> | undefined;

  /**
   * @param head Offset of the channel's head now.
   * @param oldest Ms: entries that are older may no longer be read.
   */
  find(after: number, head: number, oldest: number): Outgoing | undefined {
    const cached = this.#pages?.get(after);
    if (!cached || cached.time < oldest) return undefined;
    // A page that ended at the head grows with the next publish; one that ended before it stays what it is.
    return cached.head === head || cached.last < cached.head ? cached.page : undefined;
  }

  add(after: number, page: Outgoing, entries: readonly Entry[], head: number): void {
    const first = entries[0];
    const last = entries.at(-1);
    if (!first || !last) return;
    this.#pages ??= new Map();
    this.#pages.delete(after);
    this.#pages.set(after, { page, head, last: last.offset, time: first.time });
    const oldest = this.#pages.keys().next().value;
    if (this.#pages.size > PAGES && oldest !== undefined) this.#pages.delete(oldest);
  }

  clear(): void {
    this.#pages = undefined;
  }
}
