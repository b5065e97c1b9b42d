import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Benchmark, Numbers } from "../benchmark.ts";
import type { Results } from "../results.ts";
import { checkOut } from "./checkout.ts";
import { type Comparison, comparePairs, measurePairs, type SubjectFigures } from "./compare.ts";

/** Pairs of runs if nothing else is asked for. */
export const DEFAULT_PAIRS = 9;

const HERE = resolve(import.meta.dirname, "../../..");

export interface AgainstOptions {
  readonly commit: string;
  readonly pairs: number;
  /** Part of the names of the wanted subjects. */
  readonly only: string;
  readonly numbers: Readonly<Partial<Numbers>>;
  readonly progress: (text: string) => void;
}

/**
 * Compares the working tree's build with a commit's. Each tree is measured by its own benchmark program, because names
 * and formats may have changed between the two.
 */
export async function compareWith(
  benchmarks: Readonly<Record<string, Benchmark>>,
  { commit, pairs, only, numbers, progress }: AgainstOptions,
): Promise<Comparison[]> {
  progress(`building ${commit}`);
  const trees = { before: checkOut(commit), now: HERE };
  const comparisons: Comparison[] = [];
  for (const [name, benchmark] of Object.entries(benchmarks)) {
    // Given to both trees, so that both measure under the same load.
    const load = { ...benchmark.options, ...numbers };
    const measured = await measurePairs(pairs, (side, pair) => {
      progress(`${benchmark.title}, pair ${pair} of ${pairs}: ${side}`);
      return Promise.resolve(runIn(trees[side], name, only, load));
    });
    comparisons.push(...comparePairs(benchmark, measured));
  }
  return comparisons;
}

function runIn(tree: string, name: string, only: string, load: Partial<Numbers>): SubjectFigures {
  const folder = mkdtempSync(join(tmpdir(), "partyline-bench-"));
  try {
    const out = join(folder, "results.json");
    const options = Object.entries(load).flatMap(([option, value]) => [`--${option}`, String(value)]);
    const args = [join(tree, "bench/src/main.ts"), name, "--runs", "1", "--only", only, "--out", out];
    const { status, stderr } = spawnSync(process.execPath, [...args, ...options], { encoding: "utf8" });
    if (status !== 0) throw new Error(`The benchmark ${name} failed in ${tree}:\n${stderr}`);
    const { benchmarks } = JSON.parse(readFileSync(out, "utf8")) as Results;
    const rows = benchmarks[name]?.rows ?? [];
    return Object.fromEntries(rows.map(({ subject, runs }) => [subject, runs[0] ?? {}]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
