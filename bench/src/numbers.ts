import { BENCHMARKS } from "./benchmarks.ts";
import type { Numbers } from "./benchmark.ts";

/** The command line asks for what there is not. */
export class Misuse extends Error {}

/** Most that an option may be, so that every run is bounded in count and time; a process is waited for a minute. */
export const MOST: Numbers = {
  runs: 100,
  // Seconds.
  seconds: 30,
  warm: 10,
  wait: 30,
  // A second.
  rate: 100_000,
  // Loopback has some 28 000 ports for one side.
  connections: 20_000,
  readers: 20_000,
  stopped: 1_000,
  publishers: 1_000,
  channels: 1_000_000,
  few: 1_000_000,
  messages: 2_000_000,
  behind: 10_000,
  // Bytes.
  size: 1_000_000,
  megabytes: 1_000,
};

/**
 * The options of the benchmarks that are wanted.
 *
 * @throws Misuse where one is no number of theirs.
 */
export function readNumbers(texts: Readonly<Record<string, string>>, wanted: readonly string[]): Numbers {
  for (const [name, text] of Object.entries(texts)) {
    const most = MOST[name] ?? 0;
    if (!(Number(text) > 0 && Number(text) <= most))
      throw new Misuse(`--${name} is a number above 0 and at most ${most}, not "${text}".`);
    if (name !== "runs" && wanted.some((one) => !(name in (BENCHMARKS[one]?.options ?? {}))))
      throw new Misuse(`Not every benchmark named has --${name}.`);
  }
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, Number(text)]));
}
