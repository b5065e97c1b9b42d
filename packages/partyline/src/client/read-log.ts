import type { Keep } from "../protocol/message.ts";
import type { Position } from "../protocol/position.ts";
import type { GapReason } from "../protocol/since.ts";

/** A gap or a skip, with its positions read. */
export interface Jump {
  readonly from: Position;
  readonly to: Position;
  /** Absent for a skip. */
  readonly reason: GapReason | undefined;
}

/** What a channel's frames say about the reader's place. `epoch` is that of the stream the frame came by. */
export type LogEvent =
  | { readonly t: "attached"; readonly position: Position; readonly gap?: Jump | undefined }
  | { readonly t: "message"; readonly epoch: string; readonly offset: number }
  | { readonly t: "jump"; readonly epoch: string; readonly jump: Jump }
  | { readonly t: "mark"; readonly position: Position };

/**
 * What follows from an event. A position: the cursor has moved there, so the event counts. `"drop"`: known already, or
 * of another life of the log. `"reattach"`: something between is missing; read on from the cursor.
 */
export type Verdict = Position | "drop" | "reattach";

/**
 * The reader's rule: one cursor, fed by one stream or by two during a hand-over, sees each message once and in
 * order. Epochs are never compared for age: the newest attach's reply and `gap epoch` say which one holds.
 *
 * @param cursor The last message seen; `undefined` before the first attach was answered.
 */
export function readLog(cursor: Position | undefined, event: LogEvent, keep: Keep): Verdict {
  const same = (epoch: string): boolean => epoch === cursor?.epoch;
  switch (event.t) {
    case "attached": {
      const { position, gap } = event;
      // During a hand-over the stream before this one has told the same gap, and has perhaps delivered beyond it.
      if (gap) return counts(cursor, gap, keep) ? gap.to : "drop";
      if (!cursor) return position;
      // Continuous, but not from the cursor or what lies behind it: the stream was asked before the cursor was known,
      // as with `now`, or before another stream told a change of epoch. Asked again, the server decides.
      return same(position.epoch) && position.offset <= cursor.offset ? cursor : "reattach";
    }
    case "message": {
      const { epoch, offset } = event;
      if (!cursor || !same(epoch) || offset <= cursor.offset) return "drop";
      return offset > cursor.offset + 1 ? "reattach" : { epoch, offset };
    }
    case "jump": {
      const { epoch, jump } = event;
      // Told by a stream that was in another epoch: it is late, or has told of the present one, or of one that is
      // neither; then the server is asked, because of two epochs a reader can't tell which is the later.
      if (!same(epoch)) return jump.reason === "epoch" && !same(jump.to.epoch) ? "reattach" : "drop";
      return counts(cursor, jump, keep) ? jump.to : "drop";
    }
    case "mark":
      if (!cursor || !same(event.position.epoch)) return "drop";
      return event.position.offset > cursor.offset ? "reattach" : cursor;
  }
}

function counts(cursor: Position | undefined, { from, to, reason }: Jump, keep: Keep): boolean {
  // The full state of a `latest` channel follows its gap and replaces, so going back is what is meant.
  if (!cursor || reason === "unknown-position" || (reason && keep === "latest")) return true;
  // Two streams tell one change of epoch twice; going back the second time would deliver twice.
  if (reason === "epoch") return cursor.epoch !== to.epoch;
  return to.offset > cursor.offset && from.offset <= cursor.offset;
}

/** The position in a server's frame, which is trusted to be one. */
export function positionOf(text: string): Position {
  return { epoch: epochOf(text), offset: Number(text.slice(text.indexOf(":") + 1)) };
}

/** The epoch of the position in a server's frame. */
export function epochOf(text: string): string {
  return text.slice(0, text.indexOf(":"));
}
