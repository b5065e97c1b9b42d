/** What was measured of one subject in one run, by column. */
export type Figures = Readonly<Record<string, number>>;

/** The options of a benchmark: sizes, rates and times. */
export type Numbers<Name extends string = string> = { readonly [Option in Name]: number };

/** A server, or a way to use one, that is measured beside others. */
export interface Subject<Name extends string = string> {
  readonly name: string;
  /** One run, bounded in time. Throws {@link NotThere} where it can't be had on this machine. */
  measure(numbers: Numbers<Name>): Promise<Measured>;
}

/** Figures, and what else has to be said about them. */
export interface Measured {
  readonly figures: Figures;
  readonly note?: string;
}

/** How a figure is shown. */
export interface Column {
  readonly key: string;
  readonly head: string;
  readonly digits: number;
  /** Title of its chart; without one it has none. Figures with a chart are shown with their spread. */
  readonly chart?: string;
  /** Whether it is a cost, so that `--against` compares it: lower is better. */
  readonly cost?: boolean;
}

/** Subjects under one load, one after the other. */
export interface Benchmark<Name extends string = string> {
  readonly title: string;
  /** One line for the list. */
  readonly about: string;
  /** The load in one sentence, for the table. */
  describe(numbers: Numbers<NoInfer<Name>>): string;
  /** Options with their defaults. */
  readonly options: Numbers<Name>;
  /** Options that make it small, for a test that it runs. */
  readonly tiny: { readonly [Option in NoInfer<Name>]?: number };
  /** About how long one run of one subject takes. */
  readonly seconds: number;
  readonly subjects: readonly Subject<NoInfer<Name>>[];
  readonly columns: readonly Column[];
}

/** A subject can't be measured on this machine; the message says why. */
export class NotThere extends Error {}

/** Lets the options of a benchmark be inferred from their defaults. */
export function defineBenchmark<Name extends string>(benchmark: Benchmark<Name>): Benchmark {
  return benchmark;
}

/** The load generator itself was so busy, as a part of one core, that it may have slowed the subject down. */
export const SATURATED = 0.95;

/** Columns that many benchmarks have. */
export const COLUMNS = {
  cpuPerDelivery: {
    key: "cpuPerDelivery",
    head: "CPU per delivery, µs",
    digits: 2,
    chart: "CPU time of the server per delivery, µs",
    cost: true,
  },
  rate: { key: "rate", head: "deliveries/s", digits: 0, chart: "Deliveries per second" },
  lost: { key: "lost", head: "lost", digits: 0 },
  p50: { key: "p50", head: "p50, ms", digits: 1 },
  p99: { key: "p99", head: "p99, ms", digits: 1, chart: "99 % arrived within, ms" },
  rss: { key: "rss", head: "RSS, MB", digits: 0 },
  server: { key: "server", head: "server's core, %", digits: 0 },
  load: { key: "load", head: "load's core, %", digits: 0 },
} as const satisfies Record<string, Column>;
