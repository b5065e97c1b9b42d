import type { Position } from "../../protocol/position.ts";
import type { ChannelSkip, Message } from "../message.ts";
import { positionOf } from "../read-log.ts";

/** A piece of a channel, as it comes: a message, or some that were left out as asked for. */
export interface Item<T> {
  /** Where a state is for which this is next. */
  readonly from: Position;
  readonly to: Position;
  readonly message?: Message<T>;
}

export function itemOf<T>(message: Message<T>): Item<T> {
  const to = positionOf(message.position);
  return { from: { ...to, offset: to.offset - 1 }, to, message };
}

export function skipped({ from, to }: ChannelSkip): Item<never> {
  return { from: positionOf(from), to: positionOf(to) };
}

/**
 * What an item is for a state: the `next` piece; `known`, for the state has it; or something before it is `missing`. What
 * is of another epoch is known: before it changes under a reader, it is told a gap.
 */
export function placeOf({ from, to }: Item<unknown>, at: Position): "next" | "known" | "missing" {
  if (from.epoch !== at.epoch || to.offset <= at.offset) return "known";
  return from.offset <= at.offset ? "next" : "missing";
}

/** Has who is at a position all up to another one? Never across epochs: readers can't compare those. */
export function reaches(at: Position | undefined, other: Position | undefined): boolean {
  return at !== undefined && at.epoch === other?.epoch && at.offset >= other.offset;
}
