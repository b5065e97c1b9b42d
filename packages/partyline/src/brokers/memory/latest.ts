import type { NewMessage, PageLimit, Retention } from "../../core/ports.ts";
import { type Entry, entryBytes } from "../../protocol/message.ts";
import { Deque } from "./deque.ts";
import { type Log, PageBuilder } from "./log.ts";

/** Waste that is not worth cleaning up. */
const SLACK = 16;

/**
 * The log of a `latest` channel: the newest entry of each key, in offset order, and the tombstones of deleted keys.
 *
 * Values stay. Tombstones go when they are too old, or when there are more than `maxKeys` of them, or when all entries
 * together take more than the bytes of the retention; the newest that went is the floor: who is below it may show a key that is gone, and must be given the whole state.
 */
export class LatestLog implements Log {
  readonly #maxTombstones: number;
  readonly #byKey: Map<string, Entry> = new Map<string, Entry>();
  /** All entries of `#byKey` in offset order, with holes where one was replaced: at most as many as there are entries. */
  #offsets: number[] = [];
  #entries: (Entry | undefined)[] = [];
  /** Every tombstone that may still be in `#byKey`, oldest first. */
  #graves: Deque<Entry> = new Deque<Entry>();
  #tombstones = 0;
  #floor = 0;
  bytes = 0;
  /** What the entries that have a value cost. */
  valueBytes = 0;

  constructor(maxKeys: number) {
    this.#maxTombstones = maxKeys;
  }

  /** How many keys have a value. */
  get values(): number {
    return this.#byKey.size - this.#tombstones;
  }

  /** The value of this key. */
  valueOf(key: string): Entry | undefined {
    const entry = this.#byKey.get(key);
    return entry?.kind === "deleted" ? undefined : entry;
  }

  push(entry: Entry): void {
    this.#remove(this.#byKey.get(keyOf(entry)));
    this.#byKey.set(keyOf(entry), entry);
    if (this.#entries.length === 0) {
      // The first push to an empty array makes room for 17, and most channels of a large server hold one entry.
      this.#offsets = [entry.offset];
      this.#entries = [entry];
    } else {
      this.#offsets.push(entry.offset);
      this.#entries.push(entry);
    }
    const bytes = entryBytes(entry);
    this.bytes += bytes;
    if (entry.kind === "deleted") {
      this.#graves.push(entry);
      this.#tombstones += 1;
    } else this.valueBytes += bytes;
    if (this.#entries.length > 2 * this.#byKey.size + SLACK) this.#compact();
    if (this.#graves.length > 2 * this.#tombstones + SLACK) this.#forgetOpenGraves();
  }

  trim(retention: Retention, now: number): void {
    for (let grave = this.#graves.at(0); grave; grave = this.#graves.at(0)) {
      const current = this.#byKey.get(keyOf(grave)) === grave;
      const tooMany = this.#tombstones > this.#maxTombstones || this.bytes > retention.bytes;
      if (current && !tooMany && now - grave.time <= retention.age) return;
      this.#graves.shift();
      if (!current) continue;
      this.#remove(grave);
      this.#byKey.delete(keyOf(grave));
      this.#floor = grave.offset;
    }
  }

  oldest(head: number): number {
    for (const entry of this.#entries) if (entry) return entry.offset;
    return head + 1;
  }

  floor(): number {
    return this.#floor;
  }

  remaining(after: number): number {
    let count = 0;
    for (let index = this.#indexAfter(after); index < this.#entries.length; index++)
      if (this.#entries[index]) count += 1;
    return count;
  }

  read(after: number, limit: PageLimit): Entry[] {
    const page = new PageBuilder(limit);
    for (let index = this.#indexAfter(after); index < this.#entries.length; index++) {
      const entry = this.#entries[index];
      if (entry && !page.take(entry)) break;
    }
    return page.entries;
  }

  expires(): boolean {
    return this.values === 0;
  }

  /** Takes the entry out of the order; its key is the caller's matter. */
  #remove(entry: Entry | undefined): void {
    if (entry === undefined) return;
    this.#entries[this.#indexAfter(entry.offset - 1)] = undefined;
    const bytes = entryBytes(entry);
    this.bytes -= bytes;
    if (entry.kind === "deleted") this.#tombstones -= 1;
    else this.valueBytes -= bytes;
  }

  /** Place of the first entry or hole with a greater offset. */
  #indexAfter(offset: number): number {
    let low = 0;
    let high = this.#offsets.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#offsets[middle] ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #compact(): void {
    const entries = this.#entries.filter((entry) => entry !== undefined);
    this.#entries = entries;
    this.#offsets = entries.map((entry) => entry.offset);
  }

  #forgetOpenGraves(): void {
    const graves = new Deque<Entry>();
    for (const entry of this.#entries) if (entry?.kind === "deleted") graves.push(entry);
    this.#graves = graves;
  }
}

/** Counts what a batch would do to keys and bytes, before any of it is stored. */
export class KeyCount {
  #values: number;
  #bytes: number;
  readonly #log: LatestLog;
  readonly #maxKeys: number;
  readonly #maxBytes: number;
  /** Bytes of the value that a key will have, 0 for none. */
  readonly #changed: Map<string, number> = new Map<string, number>();

  constructor(log: LatestLog, maxKeys: number, maxBytes: number) {
    this.#log = log;
    this.#maxKeys = maxKeys;
    this.#maxBytes = maxBytes;
    this.#values = log.values;
    this.#bytes = log.valueBytes;
  }

  /** Why the message can't be taken, as the end of a sentence; `undefined` if it can. */
  problem(message: NewMessage): string | undefined {
    const key = keyOf(message);
    const before = this.#changed.get(key) ?? bytesOf(this.#log.valueOf(key));
    const after = message.kind === "deleted" ? 0 : entryBytes(message);
    if (before === 0 && after > 0 && this.#values >= this.#maxKeys) return `has ${this.#maxKeys} keys`;
    const bytes = this.#bytes + after - before;
    const isAlone = this.#values - Number(before > 0) === 0;
    if (after > before && bytes > this.#maxBytes && !isAlone)
      return `keeps at most ${this.#maxBytes} bytes of values`;
    this.#values += Number(after > 0) - Number(before > 0);
    this.#bytes = bytes;
    this.#changed.set(key, after);
    return undefined;
  }
}

function bytesOf(entry: Entry | undefined): number {
  return entry ? entryBytes(entry) : 0;
}

function keyOf(message: { readonly key: string | undefined }): string {
  return message.key ?? "";
}
