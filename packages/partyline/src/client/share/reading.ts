import type { AttachedFrame } from "../../protocol/frames.ts";
import { formatPosition, type Position } from "../../protocol/position.ts";
import type { ChannelReader, RefusalFrame } from "../link.ts";
import { positionOf } from "../read-log.ts";

/** What a tab is told of a channel that it reads. */
export type ReadingItem =
  | { readonly t: "attached"; readonly frame: AttachedFrame }
  | { readonly t: "refused"; readonly frame: RefusalFrame }
  /** `line` is the frame as text: a value may be nested too deep to be handed from tab to tab. */
  | { readonly t: "frame"; readonly line: string; readonly epoch: string; readonly size: number };

/** From where a channel is asked for, and how. */
export type Ask = ReturnType<ChannelReader["attaching"]>;

/** One channel as one tab reads it: as it asked, and how far it is. */
export interface Reading extends Ask {
  /** The tab's attach. */
  readonly n: number;
  /** Where the tab is when it has what it was given; `undefined` until its attach is answered, unless it said so. */
  place: Position | undefined;
  /** Does the tab know that it is attached? */
  answered: boolean;
  /** What brings it its messages; `undefined` while it waits for that. */
  feed: object | undefined;
  give(item: ReadingItem): void;
}

const POSITION = /^[0-9a-z]{12}:(?:0|[1-9]\d{0,14})$/;

/** The position that a `since` is; `undefined` where it is something else. */
export function placeOf(since: string | undefined): Position | undefined {
  return since !== undefined && POSITION.test(since) ? positionOf(since) : undefined;
}

/** Deliveries a second that are asked for. */
export function rateOf({ maxRate = Infinity }: Pick<Ask, "maxRate">): number {
  return maxRate;
}

/** From where a reading is asked for alone. */
export function askOf({ place, since }: Reading): string | undefined {
  return place ? formatPosition(place) : since;
}

export function isAt({ place }: Reading, { epoch, offset }: Position): boolean {
  return place?.epoch === epoch && place.offset === offset;
}
