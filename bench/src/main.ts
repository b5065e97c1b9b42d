/** `npm run bench -- NAME... | all [--runs N] [--only PART] [--OPTION NUMBER]... [--out FILE] [--charts DIR] [--page FILE]` */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, release, type } from "node:os";
import { dirname, join, relative } from "node:path";
import { parseArgs } from "node:util";
import { compareWith, DEFAULT_PAIRS } from "./against/against.ts";
import { describeComparisons } from "./against/compare.ts";
import { BENCHMARKS } from "./benchmarks.ts";
import type { Benchmark, Numbers } from "./benchmark.ts";
import { chart } from "./chart.ts";
import { Misuse, readNumbers } from "./numbers.ts";
import { pin, placement } from "./processes.ts";
import { drawProfile } from "./profile.ts";
import {
  type BenchmarkResult,
  describeAll,
  describeMachine,
  type Machine,
  renewPage,
  type Results,
} from "./results.ts";
import { run } from "./run.ts";

const USAGE = `npm run bench -- NAME... [--runs N] [--only PART] [--OPTION NUMBER]... [--from FILE] [--out FILE]
                         [--charts FOLDER] [--page FILE]
npm run bench -- all     every benchmark, one after the other
npm run bench -- NAME... --against COMMIT [--runs PAIRS] [--only PART] [--OPTION NUMBER]... [--out FILE]
                         the working tree beside a commit, run alternately

  --runs N        how often each subject is measured; the table has the medians (default 3)
  --against COMMIT  builds that commit too, runs both builds alternately, and prints the median ratio of the pairs
                  (default ${DEFAULT_PAIRS}) with its 90 % interval; subjects are those of this repository
  --only PART     only subjects whose name holds this
  --from FILE     results of an earlier run, for what is not measured now; without a NAME they are only drawn again
  --out FILE      writes every run as JSON
  --charts FOLDER writes a chart for each benchmark as SVG
  --profile FILE  draws where the server's time goes in a fan-out, a flame graph as SVG
  --page FILE     renews the tables in a page of Markdown, each between <!-- bench: NAME --> and <!-- /bench -->

Everything stays on this machine, on loopback addresses. Servers that are not part of the repository are installed
into bench/.peers when they are needed.
`;

const minutes = ({ seconds, subjects }: Benchmark): number => (seconds * subjects.length) / 60;

function list(): string {
  const lines = Object.entries(BENCHMARKS).map(([name, benchmark]) => {
    const defaults = Object.entries(benchmark.options).map(([option, value]) => `--${option} ${value}`);
    return (
      `  ${name.padEnd(18)}${benchmark.about}\n` +
      `${" ".repeat(20)}${minutes(benchmark).toFixed(1)} min a run; ${defaults.join(" ")}`
    );
  });
  const all = Object.values(BENCHMARKS).reduce((sum, benchmark) => sum + minutes(benchmark), 0);
  return `${USAGE}\n${lines.join("\n")}\n  ${"all".padEnd(18)}${all.toFixed(0)} min a run`;
}

const PROFILE_SECONDS = 10;

const DEFAULT_RUNS = 3;

/** Part of the name of every subject that is made of this repository. */
const OWN = "partyline";

function readOptions(args: readonly string[]) {
  const text = { type: "string" } as const;
  const names = new Set(Object.values(BENCHMARKS).flatMap(({ options }) => Object.keys(options)));
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      ...Object.fromEntries([...names].map((name) => [name, text])),
      runs: text,
      only: text,
      against: text,
      from: text,
      out: text,
      charts: text,
      page: text,
      profile: text,
    },
  });
  const wanted = positionals.includes("all") ? Object.keys(BENCHMARKS) : positionals;
  const unknown = wanted.find((name) => !(name in BENCHMARKS));
  if (unknown !== undefined) throw new Misuse(`There is no benchmark "${unknown}".`);
  const texts = Object.entries(values as Record<string, string>);
  const given = readNumbers(
    Object.fromEntries(texts.filter(([name]) => names.has(name) || name === "runs")),
    wanted,
  );
  return { ...values, wanted, given };
}

async function measure(
  wanted: readonly string[],
  given: Numbers,
  only: string,
): Promise<Results["benchmarks"]> {
  const done: Record<string, BenchmarkResult> = {};
  for (const name of wanted) {
    const benchmark = BENCHMARKS[name];
    if (!benchmark) continue;
    if (!benchmark.subjects.some((subject) => subject.name.includes(only))) continue;
    const { runs = DEFAULT_RUNS, ...numbers } = given;
    done[name] = await run(benchmark, { numbers, runs, only, progress });
  }
  return done;
}

/** Says on standard error what is being measured, with the time since the start. */
function progress(doing: string): void {
  const spent = Math.round(performance.now() / 1_000);
  console.error(
    `${String(Math.floor(spent / 60)).padStart(3)}:${String(spent % 60).padStart(2, "0")}  ${doing}`,
  );
}

async function compare(
  wanted: readonly string[],
  { runs: pairs = DEFAULT_PAIRS, ...numbers }: Numbers,
  { against, only = OWN, out }: { against: string; only?: string | undefined; out?: string | undefined },
): Promise<void> {
  if (wanted.length === 0) throw new Misuse("`--against` needs the names of benchmarks.");
  const benchmarks = Object.fromEntries(Object.entries(BENCHMARKS).filter(([name]) => wanted.includes(name)));
  const comparisons = await compareWith(benchmarks, { commit: against, pairs, only, numbers, progress });
  if (out !== undefined)
    writeFileSync(out, `${JSON.stringify({ against, machine: machine(), comparisons }, null, 1)}\n`);
  console.log(`${describeComparisons(comparisons)}\n\n${describeMachine(machine())}`);
}

function machine(): Machine {
  const [first] = cpus();
  return {
    date: new Date().toISOString(),
    node: process.versions.node,
    system: `${type()} ${release()}`,
    processor: first?.model.trim() ?? "an unknown processor",
    cores: cpus().length,
    placement,
  };
}

function write(
  { out, charts, page }: Record<"out" | "charts" | "page", string | undefined>,
  results: Results,
): void {
  if (out !== undefined) writeFileSync(out, `${JSON.stringify(results, null, 1)}\n`);
  if (charts !== undefined) mkdirSync(charts, { recursive: true });
  const drawn = new Map(
    Object.entries(results.benchmarks).flatMap(([name, result]) => {
      const svg = charts === undefined ? undefined : chart(result);
      return charts === undefined || svg === undefined
        ? []
        : [[name, { path: join(charts, `${name}.svg`), svg }]];
    }),
  );
  for (const { path, svg } of drawn.values()) writeFileSync(path, svg);
  if (page === undefined) return;
  const chartOf = (name: string): string | undefined => {
    const path = drawn.get(name)?.path;
    return path === undefined ? undefined : relative(dirname(page), path);
  };
  writeFileSync(page, renewPage(readFileSync(page, "utf8"), results, chartOf));
}

async function main(): Promise<number> {
  const { wanted, given, against, ...rest } = readOptions(process.argv.slice(2));
  const { only = "", from, out, charts, page, profile } = rest;
  pin(process.pid, "load");
  if (against !== undefined) {
    await compare(wanted, given, { against, only: rest.only, out });
    return 0;
  }
  if (profile !== undefined) writeFileSync(profile, await drawProfile(PROFILE_SECONDS));
  if (profile !== undefined && wanted.length === 0) return 0;
  if (wanted.length === 0 && from === undefined) {
    console.log(list());
    return 0;
  }
  const before = from === undefined ? undefined : (JSON.parse(readFileSync(from, "utf8")) as Results);
  const measured = await measure(wanted, given, only);
  if (wanted.length > 0 && Object.keys(measured).length === 0) {
    throw new Misuse(`No subject of ${wanted.join(", ")} has "${only}" in its name.`);
  }
  const results: Results = {
    machine: before && wanted.length === 0 ? before.machine : machine(),
    benchmarks: { ...before?.benchmarks, ...measured },
  };
  write({ out, charts, page }, results);
  console.log(describeAll(results));
  const failed = Object.values(measured).some(({ rows }) =>
    rows.some(({ missing }) => missing?.startsWith("a run failed")),
  );
  return failed ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof Misuse) && !(error as { code?: string }).code?.startsWith("ERR_PARSE_ARGS"))
    throw error;
  console.error(`${(error as Error).message} npm run bench lists what there is.`);
  process.exitCode = 2;
}
