import type { Benchmark, Figures } from "../benchmark.ts";
import { format } from "../results.ts";
import { median, table } from "../readings.ts";
import { type PairedRatio, pairedRatio } from "./ratio.ts";

/** A build that is measured: the working tree, or the commit before. */
export type Side = "before" | "now";

/** The figures of every subject of one benchmark, from one run of one build. */
export type SubjectFigures = Readonly<Record<string, Figures>>;

/** One compared figure of one subject. */
export interface Comparison {
  readonly benchmark: string;
  readonly subject: string;
  /** Name of the figure with its unit; lower is better. */
  readonly figure: string;
  readonly digits: number;
  readonly before: number;
  readonly now: number;
  /** Now divided by before. */
  readonly ratio: PairedRatio;
}

/**
 * Measures a benchmark with both builds in turn. Every second pair begins with the other build, so that a drift of the
 * machine cancels out.
 */
export async function measurePairs(
  pairs: number,
  measure: (side: Side, pair: number) => Promise<SubjectFigures>,
): Promise<Record<Side, SubjectFigures>[]> {
  const measured: Record<Side, SubjectFigures>[] = [];
  for (let pair = 1; pair <= pairs; pair++) {
    const first: Side = pair % 2 === 1 ? "before" : "now";
    const earlier = await measure(first, pair);
    const later = await measure(first === "now" ? "before" : "now", pair);
    measured.push(first === "now" ? { now: earlier, before: later } : { before: earlier, now: later });
  }
  return measured;
}

/** Compares the cost figures of each subject that both builds have. */
export function comparePairs(
  { title, columns }: Pick<Benchmark, "title" | "columns">,
  measured: readonly Readonly<Record<Side, SubjectFigures>>[],
): Comparison[] {
  const subjects = new Set(measured.flatMap(({ now }) => Object.keys(now)));
  const costs = columns.filter(({ cost }) => cost === true);
  return [...subjects].flatMap((subject) =>
    costs.flatMap(({ key, head, digits }) => {
      const both = measured
        .map(({ before, now }) => [before[subject]?.[key], now[subject]?.[key]] as const)
        .filter((pair): pair is readonly [number, number] => pair.every((value) => Number.isFinite(value)));
      if (both.length === 0) return [];
      const before = median(both.map(([value]) => value));
      const now = median(both.map(([, value]) => value));
      const ratio = pairedRatio(both.map(([old, current]) => current / old));
      return [{ benchmark: title, subject, figure: head, digits, before, now, ratio }];
    }),
  );
}

/** A table of comparisons, in Markdown. */
export function describeComparisons(comparisons: readonly Comparison[]): string {
  const head = ["benchmark", "subject", "figure", "before", "now", "ratio", "90 % interval", "pairs"];
  const rows = comparisons.map(({ benchmark, subject, figure, digits, before, now, ratio }) => [
    benchmark,
    subject,
    figure,
    format(before, digits),
    format(now, digits),
    ratio.median.toFixed(3),
    `${ratio.low.toFixed(3)}–${ratio.high.toFixed(3)}${ratio.confidence < 0.9 ? " (too few pairs)" : ""}`,
    ratio.pairs,
  ]);
  return `${table(head, rows)}\n\nRatio: now divided by before, median of the pairs; below 1 is cheaper.`;
}
