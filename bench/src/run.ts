import { loadavg } from "node:os";
import { type Benchmark, type Figures, NotThere, type Numbers, type Subject } from "./benchmark.ts";
import type { BenchmarkResult, Row } from "./results.ts";
import { type HostTime, hostTime } from "./usage.ts";

export interface RunOptions {
  /** Options that are not to be those by default. */
  readonly numbers: Readonly<Partial<Numbers>>;
  readonly runs: number;
  /** Part of the names of the subjects that are wanted; empty: all. */
  readonly only: string;
  readonly progress: (text: string) => void;
}

/** Measures the subjects in turn, so that what else the machine does falls on all of them, and that so many times. */
export async function run(
  benchmark: Benchmark,
  { numbers: given, runs, only, progress }: RunOptions,
): Promise<BenchmarkResult> {
  const { title, columns } = benchmark;
  const numbers = { ...benchmark.options, ...(given as Numbers) };
  const subjects = benchmark.subjects.filter(({ name }) => name.includes(only));
  const [before = 0] = loadavg();
  const began = hostTime();
  const readings = new Map<Subject, Reading>(subjects.map((subject) => [subject, { runs: [] }]));
  for (let turn = 1; turn <= runs; turn++)
    for (const [subject, reading] of readings) {
      if (reading.absent === true) continue;
      progress(`${title}, run ${turn} of ${runs}: ${subject.name}`);
      await take(subject, numbers, reading);
      if (reading.missing !== undefined) progress(`  ${reading.missing}`);
    }
  const [after = 0] = loadavg();
  const stolen = stolenSince(began, hostTime());
  const rows = [...readings].map(([{ name }, { runs: figures, note, missing }]): Row => ({
    subject: name,
    runs: figures,
    ...(note !== undefined && { note }),
    ...(missing !== undefined && { missing }),
  }));
  return {
    title,
    describe: benchmark.describe(numbers),
    numbers,
    columns,
    rows,
    busy: [before, after],
    ...(stolen !== undefined && { stolen }),
  };
}

/** Percent. */
function stolenSince(began: HostTime | undefined, ended: HostTime | undefined): number | undefined {
  if (!began || !ended || ended.all === began.all) return undefined;
  return (100 * (ended.stolen - began.stolen)) / (ended.all - began.all);
}

interface Reading {
  readonly runs: Figures[];
  note?: string;
  missing?: string;
  /** It can't be had here: no need to ask again. */
  absent?: boolean;
}

async function take(subject: Subject, numbers: Numbers, reading: Reading): Promise<void> {
  try {
    const { figures, note } = await subject.measure(numbers);
    reading.runs.push(figures);
    if (note !== undefined) reading.note = note;
  } catch (error) {
    const { message } = error as Error;
    reading.absent = error instanceof NotThere;
    reading.missing = reading.absent ? `not there: ${message}` : `a run failed: ${message}`;
  }
}
