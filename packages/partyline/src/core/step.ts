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
