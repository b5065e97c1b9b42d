/** Bounds of the time between two attempts, ms. */
export interface BackoffOptions {
  /** Longest wait before the first attempt; doubles with each further one. At least 100, default 500. */
  readonly baseDelay: number;
  /** Longest wait ever. At least 100, default 30 000. */
  readonly maxDelay: number;
}

/**
 * How long to wait before the attempt that follows `failures` failed ones: full jitter, so that many clients that
 * were cut at once do not come back at once. What the server asked for is the least, and jitter is added to it
 * for the same reason.
 *
 * @param error What the last one failed with; the server may have asked for time in it.
 */
export function backoffDelay(
  failures: number,
  options: BackoffOptions,
  random: () => number,
  error?: { readonly retryAfter?: number | undefined },
): number {
  const ceiling = Math.max(Math.min(options.maxDelay, options.baseDelay * 2 ** failures), 100);
  return (error?.retryAfter ?? 0) * 1000 + random() * ceiling;
}
