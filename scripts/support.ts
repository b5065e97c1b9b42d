import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";

export const root: string = resolve(import.meta.dirname, "..");

export interface Command {
  command: string;
  args: string[];
  env?: Record<string, string>;
}

/** A tool from node_modules, run by the Node that runs this script rather than by the one in PATH. */
export function tool(path: string, ...args: string[]): Command {
  return { command: process.execPath, args: [join(root, "node_modules", path), ...args] };
}

/** Runs a command in the repository with its output passed through, and tells whether it succeeded. */
export function run({ command, args, env }: Command): boolean {
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: "inherit",
    env: env === undefined ? process.env : { ...process.env, ...env },
  });
  if (result.error !== undefined) console.error(`${command}: ${result.error.message}`);
  return result.status === 0;
}

/** The directories of the example workspaces, relative to the root. */
export function exampleFolders(): string[] {
  if (!existsSync(join(root, "examples"))) return [];
  return readdirSync(join(root, "examples"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join("examples", entry.name))
    .sort();
}
