import { PartylineError } from "./errors.ts";

/**
 * A place in a channel's log: the last message *seen*. `epoch` names one life of the log, `offset` counts its
 * messages from 1; offset 0 is before the first. Positions of two epochs can't be compared.
 */
export interface Position {
  readonly epoch: string;
  readonly offset: number;
}

/** Where a read begins; a position is exclusive: what follows it is wanted. */
export type Since =
  | {
      readonly at: "position";
      readonly position: Position;
      /**
       * The reader is being given the whole state of a `latest` channel, and this was the head when that began: it held
       * nothing before, so it need not be told of deletions up to there. Has no text form.
       */
      readonly began?: number;
    }
  | { readonly at: "earliest" }
  | { readonly at: "now" }
  | { readonly at: "last"; readonly count: number };

const EPOCH = /^[0-9a-z]{12}$/;
const NUMBER = /^(?:0|[1-9][0-9]{0,15})$/;

/** The first place of a log that nobody has written to. */
export const START_OFFSET = 0;

/** Text form of a position, `epoch:offset`. */
export function formatPosition(position: Position): string {
  return `${position.epoch}:${position.offset}`;
}

/**
 * Reads `epoch:offset`.
 *
 * @throws PartylineError `bad-position` where the text is anything else.
 */
export function parsePosition(text: string): Position {
  const position = readPosition(text);
  if (!position) throw badPosition(text);
  return position;
}

/** As {@link parsePosition}, with `undefined` in place of the throw. */
export function readPosition(text: string): Position | undefined {
  const colon = text.indexOf(":");
  const epoch = text.slice(0, Math.max(colon, 0));
  const offset = readCount(text.slice(colon + 1));
  return EPOCH.test(epoch) && offset !== undefined ? { epoch, offset } : undefined;
}

/** A whole number up to 2^53 - 1 in plain decimal, without leading zeros. */
function readCount(text: string): number | undefined {
  if (!NUMBER.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

/**
 * Reads what stands behind `since=`: a position, `earliest`, `now` or `last:N`. Absent and empty are the same:
 * `undefined`, so that the caller's default holds.
 *
 * @throws PartylineError `bad-position` where the text is none of these.
 */
export function parseSince(text: string | null | undefined): Since | undefined {
  if (text === null || text === undefined || text === "") return undefined;
  if (text === "earliest" || text === "now") return { at: text };
  if (text.startsWith("last:")) {
    const count = readCount(text.slice(5));
    if (count === undefined) throw badPosition(text);
    return { at: "last", count };
  }
  return { at: "position", position: parsePosition(text) };
}

/** Text form of a {@link Since}. */
export function formatSince(since: Since): string {
  switch (since.at) {
    case "position":
      return formatPosition(since.position);
    case "last":
      return `last:${since.count}`;
    case "earliest":
    case "now":
      return since.at;
  }
}

/**
 * The `id:` of an `/events` stream: the position in each channel, in the order of the URL; `undefined`, written
 * `-`, is "none yet: now".
 */
export function formatPositions(positions: readonly (Position | undefined)[]): string {
  return `v1,${positions.map((position) => (position ? formatPosition(position) : "-")).join(",")}`;
}

/**
 * Reads the `id:` of an `/events` stream of `count` channels.
 *
 * @throws PartylineError `bad-position` where it is garbled or of another number of channels.
 */
export function parsePositions(text: string, count: number): (Position | undefined)[] {
  const [version, ...entries] = text.split(",");
  if (version !== "v1" || entries.length !== count) throw badPosition(text);
  return entries.map((entry) => (entry === "-" ? undefined : parsePosition(entry)));
}

function badPosition(text: string): PartylineError {
  return new PartylineError("bad-position", `Not a position: ${JSON.stringify(text.slice(0, 64))}.`);
}
