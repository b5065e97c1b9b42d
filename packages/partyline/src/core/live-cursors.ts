import type { Position } from "../protocol/position.ts";
import type { Outgoing } from "./ports.ts";

/** A cursor as its channel sees it. */
export interface LiveCursor {
  readonly epoch: string;
  /** Offset of the last message that the reader was given. */
  last: number;
  /** Place in the list, kept by the list: so that leaving is O(1). */
  index: number;
  /** Does the reader's socket take bytes? */
  readonly ready: boolean;
  write(outgoing: Outgoing): void;
  /** Leaves the list and reads on by itself. */
  lag(): void;
}

/** Which messages a batch holds. */
export interface BatchRange {
  readonly epoch: string;
  /** Offset before its first message. */
  readonly after: number;
  /** Offset of its last message. */
  readonly last: number;
}

/** The cursors of a channel that stand at its head and get what comes. */
export class LiveCursors {
  readonly #list: LiveCursor[] = [];

  get size(): number {
    return this.#list.length;
  }

  add(cursor: LiveCursor): void {
    cursor.index = this.#list.push(cursor) - 1;
  }

  remove(cursor: LiveCursor): void {
    const last = this.#list.pop();
    if (!last || last === cursor) return;
    this.#list[cursor.index] = last;
    last.index = cursor.index;
  }

  /**
   * Gives the batch of offsets `after + 1` to `last` to each cursor that stands at `after`. A cursor that stands
   * elsewhere does not get it, however near: it reads its own range (or has it all already, in this epoch or by
   * being in a later one).
   */
  deliver(batch: Outgoing, { epoch, after, last }: BatchRange): void {
    // Backwards, because a cursor that leaves is replaced by the last one, which has been served by then.
    for (let index = this.#list.length - 1; index >= 0; index--) {
      const cursor = this.#list[index];
      if (!cursor || cursor.epoch > epoch || (cursor.last >= last && cursor.epoch === epoch)) continue;
      if (cursor.last === after && cursor.epoch === epoch && cursor.ready) {
        cursor.last = last;
        cursor.write(batch);
      } else cursor.lag();
    }
  }

  /** Writes to all what is no message; who can't take it now will learn it from what it reads next. */
  tell(outgoing: Outgoing): void {
    for (const cursor of this.#list.slice()) this.#writeTo(cursor, outgoing);
  }

  /**
   * Repeats `position` to those who stand there. Nobody else is told: a stream resumes from the position it heard last,
   * and a reader whom the broker has placed beyond this node's head would go back.
   */
  mark(outgoing: Outgoing, { epoch, offset }: Position): void {
    for (const cursor of this.#list.slice())
      if (cursor.last === offset && cursor.epoch === epoch) this.#writeTo(cursor, outgoing);
  }

  /** It may have left since the list was copied, in a write to another. */
  #writeTo(cursor: LiveCursor, outgoing: Outgoing): void {
    if (cursor.ready && this.#list[cursor.index] === cursor) cursor.write(outgoing);
  }

  /** What they have is no longer known to join what comes: all read on by themselves. */
  lagAll(): void {
    for (const cursor of this.#list.slice()) cursor.lag();
  }
}
