import type { Keep } from "./message.ts";
import type { Position, Since } from "./position.ts";

/** Why a promise of continuity could not be kept. */
export type GapReason = "retention" | "epoch" | "unknown-position" | "not-kept" | "unauthorized";

/** What a reader missed: it was at `from` and is now at `to`; the next message has offset `to.offset + 1`. */
export interface Gap {
  readonly from: Position;
  readonly to: Position;
  readonly reason: GapReason;
  /** How many messages lie between, where both ends are of one epoch. */
  readonly lost?: number;
}

/** What a broker knows of a log when it answers where a read starts. */
export interface LogState {
  readonly epoch: string;
  /** Offset of the newest message, 0 where there was none. */
  readonly head: number;
  /** Offset of the oldest message kept, `head + 1` where none is. */
  readonly oldest: number;
  /**
   * A reader below this offset can't be brought up to date from what is kept: `oldest - 1` of a history, the
   * newest dropped tombstone of a `latest` channel, the head where nothing is kept. (In a `latest` channel older
   * entries may be kept: who is given the whole state is below it for a while, see `began` of `Since`.)
   */
  readonly floor: number;
}

/** Where reading starts, and the gap where that is not where the reader left off. */
export interface Start {
  readonly position: Position;
  readonly gap: Gap | undefined;
}

/** Does a kind of channel begin at its state rather than at its head when the reader says nothing? */
export function defaultSince(keep: Keep): Since {
  return keep === "latest" ? { at: "earliest" } : { at: "now" };
}

/**
 * Answers `since` from the state of the log, for every broker alike (PROTOCOL.md, "Positions"). Ends in
 * `continuous` (no gap) or in a gap, never in silence.
 */
export function resolveSince(since: Since, log: LogState, keep: Keep): Start {
  const at = (offset: number): Position => ({ epoch: log.epoch, offset });
  switch (since.at) {
    case "now":
      return { position: at(log.head), gap: undefined };
    case "earliest":
      return { position: at(log.oldest - 1), gap: undefined };
    case "last":
      return { position: at(Math.max(log.oldest - 1, log.head - since.count)), gap: undefined };
    case "position":
      return resume(since.position, log, keep, keep === "latest" ? (since.began ?? 0) : 0);
  }
}

function resume(from: Position, log: LogState, keep: Keep, began: number): Start {
  const missed = (reason: GapReason, offset: number): Start => {
    const to = { epoch: log.epoch, offset };
    const lost = from.epoch === to.epoch && to.offset >= from.offset ? { lost: to.offset - from.offset } : {};
    return { position: to, gap: { from, to, reason, ...lost } };
  };
  if (from.epoch !== log.epoch) return missed("epoch", log.oldest - 1);
  // A `latest` reader that is lost in any way gets the whole state, which is at hand.
  if (from.offset > log.head)
    return missed("unknown-position", keep === "latest" ? log.oldest - 1 : log.head);
  if (Math.max(from.offset, began) >= log.floor) return { position: from, gap: undefined };
  return missed(keep === "nothing" ? "not-kept" : "retention", log.oldest - 1);
}
