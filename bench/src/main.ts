/** `npm run bench -- NAME [--option NUMBER]… [--only PEER] [--out FILE]` */
import { writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import type { Benchmark } from "./benchmark.ts";
import { pin } from "./processes.ts";
import { slowReaders } from "./slow-readers.ts";

const BENCHMARKS: Readonly<Record<string, Benchmark>> = { "slow-readers": slowReaders };

function usage(): string {
  const lines = Object.entries(BENCHMARKS).map(([name, { about, options }]) => {
    const defaults = Object.entries(options).map(([option, value]) => `--${option} ${value}`);
    return `  ${name}\n      ${about}\n      ${defaults.join(" ")}`;
  });
  return `npm run bench -- NAME [--option NUMBER]... [--only PEER] [--out FILE]\n\n${lines.join("\n")}`;
}

async function main(): Promise<number> {
  const [name = "", ...args] = process.argv.slice(2);
  const benchmark = BENCHMARKS[name];
  if (!benchmark) {
    console.error(usage());
    return 2;
  }
  const text = { type: "string" } as const;
  const names = Object.keys(benchmark.options);
  const options = Object.fromEntries([...names, "only", "out"].map((option) => [option, text]));
  const { values } = parseArgs({ args, options }) as { values: Readonly<Record<string, string>> };
  const numbers = Object.fromEntries(
    names.map((option) => [option, Number(values[option] ?? benchmark.options[option])]),
  );
  const wrong = names.find((option) => !(Number(numbers[option]) > 0));
  if (wrong !== undefined) {
    console.error(`--${wrong} is a number above 0.`);
    return 2;
  }

  pin(process.pid, "load");
  const before = loadavg();
  const { raw, text: result } = await benchmark.run({
    numbers,
    only: values["only"] ?? "",
    progress: (doing) => console.error(`${new Date().toISOString().slice(11, 19)} ${doing}`),
  });
  const load = [before, loadavg()].map(([minute = 0]) => minute.toFixed(1)).join(" to ");
  const machine = `Node ${process.versions.node}, ${cpus().length} cores, load ${load}`;
  console.log(`${result}\n\n${machine}.`);
  if (values["out"] !== undefined)
    writeFileSync(values["out"], JSON.stringify({ name, numbers, machine, date: new Date(), raw }, null, 2));
  return 0;
}

process.exitCode = await main();
