import type { ChannelSpec, NewMessage } from "../../core/ports.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import { type Entry, entryBytes } from "../../protocol/message.ts";
import type { LogState } from "../../protocol/since.ts";
import { MINUTE } from "./rig.ts";

interface ModelId {
  readonly offset: number;
  readonly time: number;
  /** The later of `time` and `at`. */
  readonly latest: number;
  readonly content: string;
}

/** What the model expects of one message of a stored batch. */
export interface Expected {
  readonly offset: number;
  readonly duplicate: boolean;
}

export type ExpectedOutcome =
  | { readonly is: "stored"; readonly results: readonly Expected[] }
  | { readonly is: "refused"; readonly index: number; readonly code: ErrorCode };

/**
 * One life of one channel, as simple as the promises can be written down: everything is kept, and each question is
 * answered by looking at all of it. The broker under test says what time it is and which epoch.
 */
export class ModelLife {
  readonly spec: ChannelSpec;
  epoch: string | undefined = undefined;
  /** Every message of this life, kept or not. */
  readonly all: Entry[] = [];
  #tombstoneFloor = 0;
  #ids = new Map<string, ModelId>();
  #forgotten = Number.NEGATIVE_INFINITY;

  constructor(spec: ChannelSpec) {
    this.spec = spec;
  }

  /** Foretells what `append` will answer, and takes the batch in where it is stored. `time` is the broker's clock. */
  append(messages: readonly NewMessage[], time: number): ExpectedOutcome {
    this.#passTime(time);
    const added: Entry[] = [];
    const ids = new Map(this.#ids);
    const results: Expected[] = [];
    for (const [index, message] of messages.entries()) {
      const { id } = message;
      const content = JSON.stringify([message.kind, message.key ?? null, [...message.data]]);
      const known = id === undefined ? undefined : ids.get(id);
      if (known && known.content !== content) return { is: "refused", index, code: "id-reused" };
      if (known) {
        results.push({ offset: known.offset, duplicate: true });
        continue;
      }
      if (id !== undefined && message.at !== undefined && message.at <= this.#forgotten)
        return { is: "refused", index, code: "uncertain" };
      const { kind, key, data } = message;
      const entry = { offset: this.all.length + added.length + 1, time, kind, id, key, data };
      added.push(entry);
      if (this.spec.keep === "latest" && kind !== "deleted") {
        const before = valuesOf([...this.all, ...added.slice(0, -1)]);
        const after = valuesOf([...this.all, ...added]);
        const tooMany = after.length > before.length && after.length > this.spec.maxKeys;
        const tooMuch =
          sizeOf(after) > sizeOf(before) && sizeOf(after) > this.spec.retention.bytes && after.length > 1;
        if (tooMany || tooMuch) return { is: "refused", index, code: "too-many-keys" };
      }
      if (id !== undefined) {
        const latest = Math.max(time, message.at ?? 0);
        ids.set(id, { offset: entry.offset, time, latest, content });
      }
      results.push({ offset: entry.offset, duplicate: false });
    }
    this.all.push(...added);
    this.#ids = ids;
    this.#passTime(time);
    return { is: "stored", results };
  }

  /** What is kept at this time, in order. */
  kept(time: number): Entry[] {
    const { keep, retention } = this.spec;
    if (keep === "nothing") return [];
    if (keep === "latest") {
      this.#passTime(time);
      return newest(this.all).filter(
        (entry) => entry.kind !== "deleted" || entry.offset > this.#tombstoneFloor,
      );
    }
    const young = this.all.filter((entry) => time - entry.time <= retention.age).slice(-retention.count);
    while (young.length > 1 && sizeOf(young) > retention.bytes) young.shift();
    return young;
  }

  /** What a reader's `since` is answered from. */
  state(time: number): LogState {
    const kept = this.kept(time);
    const head = this.all.length;
    const oldest = kept[0]?.offset ?? head + 1;
    const floor = { history: oldest - 1, latest: this.#tombstoneFloor, nothing: head }[this.spec.keep];
    return { epoch: this.epoch ?? "", head, oldest, floor };
  }

  /** Drops what time, and the number of tombstones, drop for good. */
  #passTime(time: number): void {
    for (const [id, known] of this.#ids) {
      if (time - known.time < 10 * MINUTE) continue;
      this.#ids.delete(id);
      this.#forgotten = Math.max(this.#forgotten, known.latest);
    }
    if (this.spec.keep !== "latest") return;
    const tombstones = newest(this.all).filter(
      (entry) => entry.kind === "deleted" && entry.offset > this.#tombstoneFloor,
    );
    const tooMany = tombstones.length - this.spec.maxKeys;
    for (const [index, entry] of tombstones.entries())
      if (index < tooMany || time - entry.time > this.spec.retention.age) this.#tombstoneFloor = entry.offset;
    let size =
      sizeOf(valuesOf(this.all)) + sizeOf(tombstones.filter(({ offset }) => offset > this.#tombstoneFloor));
    for (const entry of tombstones) {
      if (size <= this.spec.retention.bytes) break;
      if (entry.offset <= this.#tombstoneFloor) continue;
      this.#tombstoneFloor = entry.offset;
      size -= entryBytes(entry);
    }
  }
}

function sizeOf(entries: readonly Entry[]): number {
  return entries.reduce((sum, entry) => sum + entryBytes(entry), 0);
}

function valuesOf(entries: readonly Entry[]): Entry[] {
  return newest(entries).filter(({ kind }) => kind !== "deleted");
}

/** The newest entry of each key, in the order of offsets. */
function newest(entries: readonly Entry[]): Entry[] {
  const byKey = new Map(entries.map((entry) => [entry.key ?? "", entry]));
  return [...byKey.values()].sort((a, b) => a.offset - b.offset);
}
