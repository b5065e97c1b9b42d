import { type Entry, entryBytes } from "../protocol/message.ts";

/** Bounds of a {@link Tail}. */
export interface TailBounds {
  readonly count: number;
  readonly bytes: number;
  /** Ms; older entries are not given. */
  readonly age: number;
}

/**
 * The newest entries of a channel's log, without a hole, as this node has seen them: shared by all its readers, so
 * that a short absence costs the broker nothing.
 */
export class Tail {
  readonly #bounds: TailBounds;
  #entries: Entry[] = [];
  /** Index of the oldest in `#entries`: dropped ones leave in bulk, not one `shift` at a time. */
  #start = 0;
  #bytes = 0;

  constructor(bounds: TailBounds) {
    this.#bounds = bounds;
  }

  /** Offset of the oldest entry, `undefined` where it is empty. */
  get first(): number | undefined {
    return this.#entries[this.#start]?.offset;
  }

  get size(): number {
    return this.#entries.length - this.#start;
  }

  push(entry: Entry): void {
    this.#entries.push(entry);
    this.#bytes += entryBytes(entry);
    while (this.size > 1 && (this.size > this.#bounds.count || this.#bytes > this.#bounds.bytes))
      this.#drop();
  }

  /** Forgets what is older than the age allows. */
  expire(time: number): void {
    for (let entry = this.#entries[this.#start]; entry && entry.time < time - this.#bounds.age;) {
      this.#drop();
      entry = this.#entries[this.#start];
    }
  }

  clear(): void {
    this.#entries = [];
    this.#start = 0;
    this.#bytes = 0;
  }

  /** Entries after `offset`, which must not be older than the tail reaches, as many as one page holds. */
  after(offset: number, messages: number, bytes: number): Entry[] {
    const first = this.first;
    if (first === undefined) return [];
    const from = this.#start + Math.max(0, offset + 1 - first);
    let to = from;
    for (let sum = 0; to < this.#entries.length && to - from < messages; to++) {
      sum += this.#entries[to]?.data.length ?? 0;
      if (sum > bytes && to > from) break;
    }
    return this.#entries.slice(from, to);
  }

  #drop(): void {
    const entry = this.#entries[this.#start];
    if (entry) this.#bytes -= entryBytes(entry);
    this.#start++;
    if (this.#start < 64 || this.#start * 2 < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#start);
    this.#start = 0;
  }
}
