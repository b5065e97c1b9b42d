import type { GapFields } from "../protocol/frames.ts";
import type { Keep } from "../protocol/message.ts";
import type { Position } from "../protocol/position.ts";
import type { GapReason } from "../protocol/since.ts";

/** A gap's fields, or a skip's. */
export type JumpFields = Omit<GapFields, "reason"> & Partial<Pick<GapFields, "reason">>;

/** A gap or a skip, with its positions read. */
export interface Jump {
  readonly from: Position;
  readonly to: Position;
  /** Absent for a skip. */
  readonly reason: GapReason | undefined;
}

/**
 * What follows from a frame. A position: the cursor has moved there, so the frame counts. `"drop"`: known already, or
 * of another life of the log. `"reattach"`: something between is missing; read on from the cursor.
 */
export type Verdict = Position | "drop" | "reattach";

// The reader's rule: one cursor, the last message seen, fed by one stream or by two during a hand-over, sees each
// message once and in order. Epochs are never compared for age: the newest attach's reply and `gap epoch` say which one
// holds. The cursor is `undefined` before the first attach was answered.
type Cursor = Position | undefined;

/** The reply to the newest attach. */
export function readAttached(cursor: Cursor, position: Position, gap: Jump | undefined, keep: Keep): Verdict {
  if (!cursor) return position;
  // `from` is where the cursor stood when it was asked; during a hand-over the other stream may have moved it since.
  if (gap) return readJump(cursor, gap.from.epoch, gap, keep);
  // Continuous, but not from the cursor or what lies behind it: the stream was asked before the cursor was known, as
  // with `now`, or before another stream told a change of epoch. Asked again, the server decides.
  return position.epoch === cursor.epoch && position.offset <= cursor.offset ? cursor : "reattach";
}

/** A message; its epoch is that of the stream it came by. */
export function readOffset(cursor: Cursor, position: Position): Verdict {
  if (position.epoch !== cursor?.epoch || position.offset <= cursor.offset) return "drop";
  return position.offset > cursor.offset + 1 ? "reattach" : position;
}

/** A gap or a skip; `epoch` is that of the stream until here. */
export function readJump(cursor: Cursor, epoch: string, jump: Jump, keep: Keep): Verdict {
  if (epoch === cursor?.epoch) return counts(cursor, jump, keep) ? jump.to : "drop";
  // The stream was in another epoch: it is late, or tells of the present one, or of one that is neither; then the
  // server is asked, because of two epochs a reader can't tell which is the later.
  return jump.reason === "epoch" && jump.to.epoch !== cursor?.epoch ? "reattach" : "drop";
}

/** A mark: the newest position of a quiet channel. */
export function readMark(cursor: Cursor, position: Position): Verdict {
  if (position.epoch !== cursor?.epoch) return "drop";
  return position.offset > cursor.offset ? "reattach" : cursor;
}

function counts(cursor: Position, { from, to, reason }: Jump, keep: Keep): boolean {
  if (reason === "epoch" || reason === "unknown-position") return true;
  // The full state of a `latest` channel follows its gap and replaces, so going back is what is meant.
  if (reason && keep === "latest") return true;
  return to.offset > cursor.offset && from.offset <= cursor.offset;
}

/** The position in a server's frame, which is trusted to be one. */
export function positionOf(text: string): Position {
  const [epoch, offset] = text.split(":") as [string, string];
  return { epoch, offset: Number(offset) };
}

export function jumpOf({ from, to, reason }: JumpFields): Jump {
  return { from: positionOf(from), to: positionOf(to), reason };
}
