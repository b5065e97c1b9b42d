/** A worker that has lived for so long was no failure when it started, ms. */
export const SETTLED = 10_000;

/** Waits before the next start: the first, and the longest, ms. */
const FIRST = 100;
const LONGEST = 5_000;

/** So many deaths soon after their start, one after the other, are enough where nobody else serves. */
const MOST = 5;

/** What happens after a death. */
export interface Restart {
  /** Early deaths in a row by now. */
  readonly failures: number;
  /** Ms until another worker starts; `undefined` where none is started any more. */
  readonly delay: number | undefined;
}

/**
 * Decides what follows the death of a worker. One that has served for a while is replaced at once; early deaths in a
 * row are followed by longer and longer waits, and by the end where no other worker has settled.
 */
export function afterDeath(
  failures: number,
  { lived, othersSettled }: { readonly lived: number; readonly othersSettled: boolean },
): Restart {
  if (lived >= SETTLED) return { failures: 0, delay: 0 };
  const now = failures + 1;
  const delay = Math.min(FIRST * 2 ** failures, LONGEST);
  return { failures: now, delay: now >= MOST && !othersSettled ? undefined : delay };
}
