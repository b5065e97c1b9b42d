import { execFile, spawnSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { NotThere } from "./benchmark.ts";
import { type Child, start } from "./processes.ts";

/** A script in `servers/` that tells its port when it listens. */
export interface Program {
  readonly script: string;
  /** A package that the repository does not install, because it is large or of no other use. */
  readonly needs?: keyof typeof WANTED;
  /** Told to the script as JSON. */
  readonly options?: object;
}

/** Pinned like all that is installed here. */
const WANTED = { "better-sse": "0.16.1", bun: "1.4.5" } as const;

const FOLDER = join(import.meta.dirname, "../.peers");
const INSTALL_TIME = 180_000;

/** A server that runs. */
export interface Running extends AsyncDisposable {
  readonly port: number;
  readonly child: Child;
}

/** Starts a server on a core of its own. */
export async function serve(
  { script, needs, options = {} }: Program,
  ...nodeOptions: string[]
): Promise<Running> {
  const installed = needs && (await install(needs));
  const child = start(`servers/${script}.ts`, "server", {
    args: [JSON.stringify(options), installed ?? ""],
    execArgv: needs === "bun" ? [] : nodeOptions,
    ...(needs === "bun" && installed !== undefined && { execPath: installed }),
  });
  const { port } = await child.next<{ port: number }>();
  return { port, child, [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() };
}

/** How it is used: the program itself, or what a script imports. */
async function install(name: keyof typeof WANTED): Promise<string> {
  const found = find(name);
  if (found !== undefined) return found;
  const wanted = `${name}@${WANTED[name]}`;
  console.error(`         installing ${wanted} into bench/.peers, once`);
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(join(FOLDER, "package.json"), JSON.stringify({ private: true }));
  // Without scripts: Bun's would only move the program, which lies in a package of its own.
  const args = ["install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--no-save"];
  const others = Object.entries(WANTED)
    .filter(([other]) => other !== name && existsSync(join(FOLDER, "node_modules", other)))
    .map(([other, version]) => `${other}@${version}`);
  try {
    await promisify(execFile)("npm", [...args, wanted, ...others], { cwd: FOLDER, timeout: INSTALL_TIME });
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.split("\n").find((line) => line.includes("error"));
    throw new NotThere(`npm could not install ${wanted}: ${said ?? (error as Error).message}`);
  }
  const now = find(name);
  if (now === undefined) throw new NotThere(`${wanted} does not run on this machine`);
  return now;
}

function find(name: keyof typeof WANTED): string | undefined {
  if (name === "bun") {
    const programs = globSync("node_modules/@oven/*/bin/bun{,.exe}", { cwd: FOLDER });
    return programs
      .map((path) => join(FOLDER, path))
      .find((path) => spawnSync(path, ["--version"]).status === 0);
  }
  const entry = join(FOLDER, "node_modules", name);
  return existsSync(entry) ? pathToFileURL(join(FOLDER, "package.json")).href : undefined;
}
