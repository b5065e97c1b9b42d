/** What a crowd of readers has had. */
export interface Report {
  readonly received: number;
  /** Messages missing without a word. */
  readonly lost: number;
  /** Readers whose connection was closed. */
  readonly closed: number;
  /** Readers that have everything. */
  readonly complete: number;
  /** Readers that miss something and were told what. */
  readonly told: number;
  /** Readers that are not at the end yet. */
  readonly behind: number;
  /** From publish to receipt, ms. */
  readonly latencies: readonly number[];
}

/** Milliseconds by a clock that all processes of a machine share. */
export function monotonic(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** Of the values in order, the one at this part of the way. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = Float64Array.from(values).toSorted();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

/** A table in Markdown; figures to the right. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(" | ")} |`;
  return [
    line(head),
    `|---|${head
      .slice(1)
      .map(() => "--:|")
      .join("")}`,
    ...rows.map(line),
  ].join("\n");
}
