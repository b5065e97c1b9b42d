/** nginx, HAProxy and their like as child processes. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram } from "../../../../scripts/chromium.ts";
import { freePort } from "./free-port.ts";

/** Something between clients and servers. */
export interface Proxy extends AsyncDisposable {
  /** Where clients connect instead of to the server. */
  readonly url: string;
}

/** How a proxy is started. */
export interface ProxyProgram {
  readonly program: string;
  /** The whole configuration; `folder` is for its files. */
  readonly config: (port: number, folder: string) => string;
  readonly args: (file: string, folder: string) => readonly string[];
}

/** Ports that were free a moment ago may be taken when a proxy asks for them. */
const ATTEMPTS = 5;

/** Starts one; resolves when it listens. */
export async function startProxy({ program, config, args }: ProxyProgram): Promise<Proxy> {
  const path = findProgram(program);
  if (path === undefined) throw new Error(`There is no ${program}: \`npm test\` installs it.`);
  const folder = await mkdtemp(join(tmpdir(), `partyline-${program}-`));
  const file = join(folder, "proxy.conf");
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    await writeFile(file, config(port, folder));
    const child = spawn(path, args(file, folder), { stdio: ["ignore", "ignore", "pipe"] });
    const said = collect(child);
    const kill = (): void => void child.kill("SIGKILL");
    process.once("exit", kill);
    const ended = once(child, "close").then(() => process.removeListener("exit", kill));
    if (await Promise.race([listens(port, child), ended.then(() => false)]))
      return {
        url: `http://127.0.0.1:${port}`,
        async [Symbol.asyncDispose]() {
          child.kill("SIGTERM");
          await ended;
          await rm(folder, { recursive: true, force: true });
        },
      };
    child.kill("SIGKILL");
    if (attempt < ATTEMPTS && /in use/i.test(said())) continue;
    await rm(folder, { recursive: true, force: true });
    throw new Error(`${program} did not start:\n${said()}`);
  }
}

function collect(child: ChildProcess): () => string {
  let text = "";
  child.stderr?.setEncoding("utf8").on("data", (piece: string) => (text += piece));
  return () => text;
}

/** Resolves when somebody listens there; false where the program ended instead. */
async function listens(port: number, child: ChildProcess): Promise<boolean> {
  while (child.exitCode === null && child.signalCode === null) {
    const socket = connect(port, "127.0.0.1");
    const connected = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    });
    socket.destroy();
    if (connected) return true;
  }
  return false;
}
