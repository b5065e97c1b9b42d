import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import type { History } from "./history.ts";
import { type Kind, KINDS } from "./kinds/kinds.ts";
import { memoryWorlds } from "./memory-world.ts";
import { openProcessWorlds } from "./process-world.ts";
import { playSeeds } from "./play-seeds.ts";
import { runHistory, type Worlds } from "./run.ts";
import { formatTally } from "./tally.ts";

const USAGE = `usage: npm run chaos -- [--seeds N] [--minutes M] [--from SEED] [--world memory|processes] [--jobs N]
       npm run chaos -- [--world memory|processes] --history FILE

Plays generated histories of publishing, reading and faults, and asks the oracle whether anything was lost in silence.
  --seeds N      how many histories (default 100)
  --minutes M    ends after so much time, whatever is left (default: no limit)
  --from SEED    the first seed (default 1)
  --world W      memory: virtual time, one process. processes: real servers, TCP, real time (default memory)
  --jobs N       histories at once (default 1 in memory, 3 with processes)
  --kinds LIST   kinds of trouble that histories may have beside the usual (default: all of
                 ${KINDS.join(", ")})
  --history FILE plays the history of a failure that was printed before`;

/** How long a failure may take to be made short, ms. */
const SHRINKING = 120_000;

const print = (text: string): void => void process.stdout.write(`${text}\n`);

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "100" },
    minutes: { type: "string", default: "Infinity" },
    from: { type: "string", default: "1" },
    world: { type: "string", default: "memory" },
    jobs: { type: "string" },
    history: { type: "string" },
    kinds: { type: "string", default: KINDS.join(",") },
    help: { type: "boolean", default: false },
  },
});
const [seeds, minutes, from] = [values.seeds, values.minutes, values.from].map(Number) as [
  number,
  number,
  number,
];
const { world } = values;
const kinds = values.kinds.split(",").filter((name) => name !== "") as Kind[];
const jobs = Number(values.jobs ?? (world === "memory" ? 1 : 3));
if (
  values.help ||
  [seeds, minutes, from, jobs].some(Number.isNaN) ||
  !kinds.every((kind) => KINDS.includes(kind))
) {
  print(USAGE);
  process.exit(values.help ? 0 : 2);
}

if (world !== "memory" && world !== "processes") {
  print(USAGE);
  process.exit(2);
}
await using worlds = world === "memory" ? memoryWorlds : await openProcessWorlds();
process.exitCode = (await (values.history === undefined
  ? playGenerated(worlds)
  : playFile(worlds, values.history)))
  ? 0
  : 1;

async function playFile(within: Worlds, file: string): Promise<boolean> {
  const run = await runHistory(within, JSON.parse(await readFile(file, "utf8")) as History);
  for (const { is, message } of run.violations) print(`${is}: ${message}`);
  print(`${formatTally(run.tally)}\n${run.violations.length} violations`);
  return run.violations.length === 0;
}

async function playGenerated(within: Worlds): Promise<boolean> {
  const start = performance.now();
  const seconds = (): number => Math.round((performance.now() - start) / 1000);
  const { tally, done, failed } = await playSeeds(
    within,
    { from, count: seeds, kinds, jobs, shrinking: SHRINKING, goesOn: () => seconds() < minutes * 60 },
    {
      found: (text) => print(`\n${text}\n`),
      played(histories, failures) {
        if (histories % 10 > 0) return;
        const memory = Math.round(process.memoryUsage.rss() / 1_048_576);
        print(`${histories} of ${seeds} seeds, ${failures} failed, ${seconds()} s, ${memory} MiB`);
      },
    },
  );
  print(`\n${formatTally(tally)}`);
  print(`\n${done} seeds in ${seconds()} s, ${failed.length} failed: ${failed.join(" ")}`);
  return failed.length === 0;
}
