import type { Keep } from "../protocol/message.ts";
import type { Position } from "../protocol/position.ts";
import type { GapReason } from "../protocol/since.ts";

/** A gap or a skip as it was told, with positions read. */
export interface Jump {
  readonly from: Position;
  readonly to: Position;
  /** Absent for a skip. */
  readonly reason?: GapReason;
}

/** What a channel's frames say about the reader's place. `epoch` is that of the stream the frame came by. */
export type LogEvent =
  | { readonly t: "attached"; readonly position: Position; readonly gap?: Jump | undefined }
  | { readonly t: "message"; readonly epoch: string; readonly offset: number }
  | { readonly t: "jump"; readonly epoch: string; readonly jump: Jump }
  | { readonly t: "mark"; readonly position: Position };

/**
 * `take`: deliver it, the cursor has moved. `drop`: known already, or of another life of the log. `reattach`:
 * something between is missing; read on from the cursor.
 */
export type Verdict = "take" | "drop" | "reattach";

/** The reader's place after an event, and what becomes of the event. */
export interface Reading {
  readonly cursor: Position | undefined;
  readonly verdict: Verdict;
}

/**
 * The reader's rule: one cursor, fed by one stream or by two during a hand-over, sees each message once and in
 * order. Epochs are never compared for age: the newest attach's reply and `gap epoch` say which one holds.
 *
 * @param cursor The last message seen; `undefined` before the first attach was answered.
 */
export function readLog(cursor: Position | undefined, event: LogEvent, keep: Keep): Reading {
  const drop: Reading = { cursor, verdict: "drop" };
  switch (event.t) {
    case "attached":
      return readAttached(cursor, event.position, event.gap, keep);
    case "message":
      if (!cursor || event.epoch !== cursor.epoch || event.offset <= cursor.offset) return drop;
      if (event.offset > cursor.offset + 1) return { cursor, verdict: "reattach" };
      return { cursor: { epoch: cursor.epoch, offset: event.offset }, verdict: "take" };
    case "jump":
      // A stream that is an epoch behind may still tell its gaps; only a change of epoch concerns the reader.
      if (event.jump.reason !== "epoch" && event.epoch !== cursor?.epoch) return drop;
      return moves(cursor, event.jump, keep) ? { cursor: event.jump.to, verdict: "take" } : drop;
    case "mark":
      if (event.position.epoch !== cursor?.epoch || event.position.offset <= cursor.offset) return drop;
      return { cursor, verdict: "reattach" };
  }
}

function readAttached(
  cursor: Position | undefined,
  position: Position,
  gap: Jump | undefined,
  keep: Keep,
): Reading {
  if (gap) {
    if (moves(cursor, gap, keep)) return { cursor: gap.to, verdict: "take" };
    // During a hand-over the stream before this one has told the same gap, and has perhaps delivered beyond it.
    return { cursor, verdict: "drop" };
  }
  if (!cursor) return { cursor: position, verdict: "take" };
  // Continuous, but not from the cursor or what lies behind it: the stream was asked before the cursor was known,
  // as with `now`, or before another stream told a change of epoch. Asked again, the server decides.
  const behind = position.epoch === cursor.epoch && position.offset <= cursor.offset;
  return { cursor, verdict: behind ? "take" : "reattach" };
}

function moves(cursor: Position | undefined, jump: Jump, keep: Keep): boolean {
  if (!cursor) return true;
  switch (jump.reason) {
    case "epoch":
      // Two streams tell one change of epoch twice; going back the second time would deliver twice.
      return cursor.epoch !== jump.to.epoch || keep === "latest";
    case "unknown-position":
      return true;
    case "retention":
    case "not-kept":
    case "unauthorized":
      // The full state of a `latest` channel follows its gap and replaces, so going back is what is meant.
      if (keep === "latest") return true;
      break;
    case undefined:
  }
  return jump.to.offset > cursor.offset && jump.from.offset <= cursor.offset;
}
