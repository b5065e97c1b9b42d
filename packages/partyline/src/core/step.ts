import type { Keep } from "../protocol/message.ts";

/** Where a cursor stands: the last offset that its reader was given. */
export interface CursorPlace {
  readonly epoch: string;
  readonly last: number;
}

/** What this node holds of the channel's log. */
export interface TailView {
  readonly keep: Keep;
  readonly epoch: string;
  /** Offset of the oldest entry in the tail, `head + 1` where the tail is empty. */
  readonly first: number;
  /** Offset of the newest message that this node has seen. */
  readonly head: number;
}

/** What a lagging cursor does next. */
export type Step =
  /** It has all there is: from now on it gets the turn's batch. */
  | { readonly do: "live" }
  /** It is given entries of the tail that follow `last`. */
  | { readonly do: "deliver" }
  /** The tail does not reach back to it, or is of another epoch: the broker knows what follows, or what is gone. */
  | { readonly do: "read" }
  /** Nothing is kept: it goes on at the head and is told what it was not given. */
  | { readonly do: "skip"; readonly to: number };

/** As {@link Step}, or nothing yet. */
export type PacedStep = Step | { readonly do: "wait" };

/**
 * The heart of attach, catch-up and slow readers, which are one thing: a cursor behind the head. Pure, so that it is
 * proved against generated histories.
 *
 * A cursor *beyond* this node's head or epoch, which the broker vouched for, is live: the node will get there, and the
 * check on each batch keeps it from hearing anything twice.
 */
export function nextStep(cursor: CursorPlace, tail: TailView): Step {
  if (cursor.epoch > tail.epoch) return { do: "live" };
  if (cursor.epoch < tail.epoch) return { do: "read" };
  if (cursor.last >= tail.head) return { do: "live" };
  switch (tail.keep) {
    case "nothing":
      return { do: "skip", to: tail.head };
    case "latest":
      return { do: "read" };
    case "history":
      return cursor.last + 1 >= tail.first ? { do: "deliver" } : { do: "read" };
  }
}

/**
 * As {@link nextStep}, for a cursor that asked for less: when it is due it goes on at the newest message, told what it
 * leaves out, or on a channel of latest values reads what has changed.
 *
 * @param due May it be given something now?
 */
export function nextPacedStep(cursor: CursorPlace, tail: TailView, due: boolean): PacedStep {
  const step = nextStep(cursor, tail);
  if (step.do === "live" || cursor.epoch !== tail.epoch) return step;
  if (!due) return { do: "wait" };
  if (tail.keep === "latest") return step;
  if (cursor.last + 1 < tail.head) return { do: "skip", to: tail.head - 1 };
  return tail.first <= tail.head ? { do: "deliver" } : step;
}
