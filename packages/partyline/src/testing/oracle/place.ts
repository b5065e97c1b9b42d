import { formatPosition, type Position } from "../../protocol/position.ts";

/** Reads a position as it is written in the records. Epochs of any form: an oracle also judges other brokers' logs. */
export function placeOf(text: string): Position {
  const colon = text.lastIndexOf(":");
  const offset = Number(text.slice(colon + 1));
  if (colon < 0 || !Number.isSafeInteger(offset)) throw new TypeError(`Not a position: "${text}".`);
  return { epoch: text.slice(0, colon), offset };
}

/** Is it earlier? A later life comes after all of an earlier one. */
export function isBefore(one: Position, other: Position): boolean {
  return one.epoch === other.epoch ? one.offset < other.offset : one.epoch < other.epoch;
}

/** One position, or the first and the last of several, for humans. */
export function span(epoch: string, first: number, last: number): string {
  const from = formatPosition({ epoch, offset: first });
  return first === last ? from : `${from} to ${last}`;
}
