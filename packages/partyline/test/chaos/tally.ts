import type { Evidence } from "../../src/testing/oracle/index.ts";

/** Counts of what happened, by name. */
export type Tally = Map<string, number>;

export function count(tally: Tally, what: string, by = 1): void {
  tally.set(what, (tally.get(what) ?? 0) + by);
}

export function addTally(sum: Tally, tally: Tally): void {
  for (const [what, times] of tally) count(sum, what, times);
}

/** What readers and publishers were told. */
export function countEvidence(tally: Tally, { readers, publishes }: Evidence): void {
  count(tally, "readers", readers.length);
  for (const { told } of readers)
    for (const item of told) {
      if (item.is === "message") count(tally, "messages delivered");
      else if (item.is === "gap") count(tally, `gaps: ${item.reason}`);
      else if (item.is === "skip") count(tally, "skips");
    }
  for (const { fate } of publishes) {
    if (fate.is === "stored") {
      count(tally, "publishes stored");
      if (fate.duplicate) count(tally, "publishes answered as duplicates");
    } else if (fate.is === "refused") count(tally, `publishes refused: ${fate.code}`);
    else count(tally, `publishes ${fate.is}`);
  }
}

/** In lines of equal width, by name. */
export function formatTally(tally: Tally): string {
  const rows = [...tally].toSorted(([one], [other]) => (one < other ? -1 : 1));
  const width = Math.max(0, ...rows.map(([what]) => what.length));
  return rows.map(([what, times]) => `${what.padEnd(width)}  ${String(times).padStart(9)}`).join("\n");
}
