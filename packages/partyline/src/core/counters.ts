import type { Counter, Metrics } from "./ports.ts";

/** Counts since the start, by counter and label (`""` where there is none). */
export type CounterSnapshot = Readonly<Partial<Record<Counter, Readonly<Record<string, number>>>>>;

/** Metrics that are kept in memory, to be looked at. */
export interface Counters extends Metrics {
  snapshot(): CounterSnapshot;
}

/** Makes the counters of a server. */
export function createCounters(): Counters {
  const counts = new Map<Counter, Map<string, number>>();
  return {
    count(counter, label = "", by = 1) {
      let labels = counts.get(counter);
      if (!labels) counts.set(counter, (labels = new Map<string, number>()));
      labels.set(label, (labels.get(label) ?? 0) + by);
    },
    snapshot: () =>
      Object.fromEntries([...counts].map(([counter, labels]) => [counter, Object.fromEntries(labels)])),
  };
}
