/** What a benchmark is given. */
export interface Order {
  /** Its options, as they were given or by default. */
  readonly numbers: Readonly<Record<string, number>>;
  /** Part of the name of the peers that are wanted; empty: all. */
  readonly only: string;
  readonly progress: (text: string) => void;
}

/** What it gives. */
export interface Outcome {
  /** Every run, for the file. */
  readonly raw: unknown;
  /** For people. */
  readonly text: string;
}

/** Peers under one load, one after the other. */
export interface Benchmark {
  readonly about: string;
  /** Numbers that it takes, with their defaults. */
  readonly options: Readonly<Record<string, number>>;
  run(order: Order): Promise<Outcome>;
}
