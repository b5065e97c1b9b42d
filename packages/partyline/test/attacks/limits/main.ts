import { parseArgs } from "node:util";
import { ATTACKS } from "../attacks.ts";
import { type Cost, measure, median } from "./measure.ts";

const USAGE = `usage: npm run limits -- [--only TEXT] [--seconds S] [--connections N] [--runs N]

Sends each thing that a peer without credentials can send, as fast as the server takes it, and measures what it costs:
the server's CPU time and memory, and the longest wait of a bystander, who asks every few milliseconds. Everything is on
loopback, whose exemption from the limits per address is switched off. Prints a table for docs/limits.md.
  --only TEXT      attacks whose name has this text
  --seconds S      duration of each attack, and of the run without it (default 3)
  --connections N  connections that do the same at once (default 1)
  --runs N         runs of each attack; the table has the medians (default 3)`;

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    seconds: { type: "string", default: "3" },
    connections: { type: "string", default: "1" },
    runs: { type: "string", default: "3" },
    help: { type: "boolean", default: false },
  },
});
const print = (text: string): void => void process.stdout.write(`${text}\n`);
const [seconds, connections, runs] = [values.seconds, values.connections, values.runs].map(Number) as [
  number,
  number,
  number,
];
if (values.help || [seconds, connections, runs].some((value) => !(value > 0))) {
  print(USAGE);
  process.exit(values.help ? 0 : 2);
}

/** The longest that an attack may hold up a bystander, in milliseconds. */
const BOUND = 50;

const over = (cost: Cost): boolean => cost.during - cost.before > BOUND;

print(
  `${connections} connection${connections === 1 ? "" : "s"}, ${seconds} s, median of ${runs} runs, Node ${process.versions.node}\n`,
);
print(
  "| over | sent as fast as the server takes it | CPU | memory | longest stretch | longest wait: alone | attacked | p99 |",
);
print("|---|---|---|---|---|---|---|---|");
let exceeded = 0;
for (const [transport, attacks] of ATTACKS)
  for (const attack of attacks) {
    if (!attack.name.includes(values.only)) continue;
    const costs: Cost[] = [];
    for (let run = 0; run < runs; run++)
      costs.push(await measure(attack, { duration: seconds * 1_000, connections }));
    const cost = median(costs);
    const { before, during, p99, stretch, cpu, rise, refused } = cost;
    if (over(cost)) exceeded++;
    const cells = [
      transport,
      attack.name,
      `${cpu.toFixed(0)} %`,
      `${rise.toFixed(0)} MiB`,
      `${stretch.toFixed(0)} ms`,
      `${before.toFixed(0)} ms`,
      `${during.toFixed(0)} ms${over(cost) ? " (!)" : ""}`,
      `${p99.toFixed(0)} ms`,
    ];
    print(`| ${cells.join(" | ")} |${refused.length > 0 ? ` refused: ${refused.join("; ")}` : ""}`);
  }
print(`\n${exceeded} of them held up the bystander by more than ${BOUND} ms (!).`);
process.exit(0);
