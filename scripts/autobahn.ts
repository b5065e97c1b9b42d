import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { root } from "./support.ts";

// The fuzzing client of Autobahn|Testsuite, which is the judge of WebSocket servers, runs on Python 2.7 alone.
const folder = join(root, ".cache/autobahn");
const environment = join(folder, "env");
const wstest = join(environment, "bin/wstest");
const pip = join(environment, "bin/pip");

/** Its last release, and what it ran with when it came out; in the order in which they can be installed. */
const PACKAGES: readonly (readonly string[])[] = [
  ["incremental==16.10.1", "six==1.16.0"],
  ["cryptography==3.3.2", "pyOpenSSL==19.1.0"],
  ["--no-build-isolation", "Twisted==19.10.0", "zope.interface==4.6.0", "service_identity==18.1.0"],
  ["klein==17.10.0", "Werkzeug==1.0.1", "jinja2==2.11.3", "markupsafe==1.1.1", "unittest2==1.1.0"],
  ["txaio==2.1.0", "wsaccel==0.6.2", "ujson==2.0.3"],
  ["--no-build-isolation", "autobahn==0.10.9"],
  ["--no-deps", "--no-build-isolation", "autobahntestsuite==25.10.1"],
];

/** How one case went: what the server did, and how it closed. */
export interface CaseResult {
  readonly behavior: string;
  readonly behaviorClose: string;
}

/** Installs the suite into the repository's cache, where it is not there yet; tells why where that can't be. */
export function installAutobahn(): string | undefined {
  if (existsSync(wstest)) return undefined;
  const python = findPython();
  if (python === undefined)
    return "Autobahn needs Python 2.7 with pip: install one (pyenv has it), or set PYTHON27=/path/to/python2.7.";
  console.log(`Installing Autobahn|Testsuite into ${folder} with ${python}; this takes about half a minute.`);
  mkdirSync(folder, { recursive: true });
  const boot = join(folder, "boot");
  const steps = [
    [python, "-m", "pip", "install", "-q", "--target", boot, "virtualenv==20.15.1"],
    [python, "-m", "virtualenv", "-q", "--no-download", environment],
    ...PACKAGES.map((packages) => [pip, "install", "-q", ...packages]),
  ];
  for (const [command = "", ...args] of steps) {
    const env = { ...process.env, PYTHONWARNINGS: "ignore", PYTHONPATH: command === python ? boot : "" };
    const { status } = spawnSync(command, args, { stdio: ["ignore", "ignore", "inherit"], env });
    if (status !== 0) return `Autobahn could not be installed: \`${[command, ...args].join(" ")}\` failed.`;
  }
  return undefined;
}

function findPython(): string | undefined {
  const versions = join(process.env.PYENV_ROOT ?? join(homedir(), ".pyenv"), "versions");
  const managed = existsSync(versions)
    ? readdirSync(versions)
        .filter((name) => name.startsWith("2.7"))
        .map((name) => join(versions, name, "bin/python2.7"))
    : [];
  // Asked, because a version manager puts a `python2.7` into the path that only says how to get one.
  return [process.env.PYTHON27 ?? "", "python2.7", ...managed].find(
    (python) => python !== "" && spawnSync(python, ["-c", "import ensurepip"]).status === 0,
  );
}

/**
 * Runs these cases against an echo server; `progress` is told how many are done.
 *
 * @returns The result of each case, by its number.
 */
export async function runAutobahn(
  url: string,
  cases: readonly string[],
  progress: (done: number) => void,
): Promise<Readonly<Record<string, CaseResult>>> {
  const output = mkdtempSync(join(folder, "run-"));
  const spec = {
    outdir: output,
    servers: [{ agent: "partyline", url }],
    cases,
    "exclude-cases": [],
    "exclude-agent-cases": {},
  };
  writeFileSync(join(output, "spec.json"), JSON.stringify(spec));
  const child = spawn(wstest, ["-m", "fuzzingclient", "-s", join(output, "spec.json")], {
    stdio: ["ignore", "pipe", "ignore"],
    timeout: LIMIT,
  });
  let done = 0;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    done += text.match(/Running test case/g)?.length ?? 0;
    progress(done);
    // It would wait for ever.
    if (text.includes("will run 0 test cases")) child.kill();
  });
  const status = await new Promise<number | null>((resolve) => child.on("close", resolve));
  if (status !== 0) throw new Error(`wstest ended with ${status ?? "a signal"} after ${done} cases.`);
  const index = JSON.parse(readFileSync(join(output, "index.json"), "utf8")) as {
    partyline: Record<string, CaseResult>;
  };
  return index.partyline;
}

/** Longest run of one selection, ms. */
const LIMIT = 15 * 60_000;
