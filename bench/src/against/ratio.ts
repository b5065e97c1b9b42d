import { median } from "../readings.ts";

/** Median of paired ratios, and an interval that holds the true median with the given confidence. */
export interface PairedRatio {
  readonly pairs: number;
  readonly median: number;
  readonly low: number;
  readonly high: number;
  /** Probability that the interval holds the true median, at least 0.9; below that if there are under five pairs. */
  readonly confidence: number;
}

const WANTED_CONFIDENCE = 0.9;

/**
 * Summarizes the ratios of pairs. The interval lies between two of the sorted ratios (the sign test turned round), so it
 * assumes nothing about how the noise is distributed.
 */
export function pairedRatio(ratios: readonly number[]): PairedRatio {
  const sorted = ratios.toSorted((a, b) => a - b);
  const pairs = sorted.length;
  let outside = 0;
  let confidence = intervalConfidence(pairs, outside);
  while (intervalConfidence(pairs, outside + 1) >= WANTED_CONFIDENCE)
    confidence = intervalConfidence(pairs, ++outside);
  return {
    pairs,
    median: median(sorted),
    low: sorted[outside] ?? Number.NaN,
    high: sorted[pairs - 1 - outside] ?? Number.NaN,
    confidence,
  };
}

/** Confidence of the interval that leaves out this number of values at each end. */
function intervalConfidence(pairs: number, outside: number): number {
  let tail = 0;
  let combinations = 1;
  for (let count = 0; count <= outside; count++) {
    tail += combinations;
    combinations = (combinations * (pairs - count)) / (count + 1);
  }
  return Math.max(0, 1 - 2 * (tail / 2 ** pairs));
}
