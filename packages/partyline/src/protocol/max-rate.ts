import { PartylineError } from "./errors.ts";

/** Deliveries a second that a reader may ask for: from one in about 17 minutes to one a millisecond. */
const LEAST = 0.001;
const MOST = 1_000;

/**
 * A reader's `maxRate`, as a frame has it.
 *
 * @throws PartylineError `bad-limit` where it is no number from 0.001 to 1 000.
 */
export function checkMaxRate(rate: unknown): number {
  if (typeof rate === "number" && rate >= LEAST && rate <= MOST) return rate;
  throw new PartylineError(
    "bad-limit",
    `\`maxRate\` is a number from ${LEAST} to ${MOST}: ${JSON.stringify(rate)?.slice(0, 40)}.`,
  );
}

/**
 * What stands behind `maxRate=` in a URL; absent and empty are the same: as much as there is.
 *
 * @throws PartylineError `bad-limit`
 */
export function parseMaxRate(text: string | null | undefined): number | undefined {
  if (text === null || text === undefined || text === "") return undefined;
  return checkMaxRate(/^\d+(?:\.\d+)?$/.test(text) ? Number(text) : text);
}
