/** nginx and HAProxy as child processes, configured by what docs/proxies.md tells people to write. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram } from "../../../../scripts/chromium.ts";
import { readText, repository } from "./source.ts";

/** Something between clients and a server. */
export interface Proxy extends AsyncDisposable {
  /** Where clients connect instead of to the server. */
  readonly url: string;
}

/** What a real proxy is told. */
export interface RealProxyOptions {
  /** The block of docs/proxies.md that follows `<!-- test: name -->`. */
  readonly block: string;
  /** Ports of the servers, which take the places of 8080, 8081 … in the block. */
  readonly upstream: readonly number[];
  /** Changes the block: shorter times than people would take. */
  readonly change?: (block: string) => string;
}

/** Starts nginx; the block stands in its `http`. */
export function startNginx(options: RealProxyOptions): Promise<Proxy> {
  return startReal("nginx", options, (config, folder) => ({
    args: ["-c", config, "-p", folder, "-e", "stderr"],
    text: (block) => `
      daemon off;
      pid ${folder}/nginx.pid;
      ${process.getuid?.() === 0 ? "user root;" : ""}
      events {}
      http {
        access_log off;
        ${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder}/${name};`).join("\n")}
        ${block}
      }`,
  }));
}

/** Starts HAProxy; the block is all of its configuration. */
export function startHaproxy(options: RealProxyOptions): Promise<Proxy> {
  return startReal("haproxy", options, (config) => ({
    args: ["-db", "-f", config],
    text: (block) => block,
  }));
}

/** A block of docs/proxies.md, as people would copy it. */
export function proxyBlock(name: string): string {
  const text = readText(repository, "docs/proxies.md");
  const match = new RegExp(`<!-- test: ${name} -->\\s+\`\`\`\\w*\\n(.*?)\`\`\``, "s").exec(text);
  if (!match?.[1]) throw new Error(`docs/proxies.md has no block marked "test: ${name}".`);
  return match[1];
}

type Prepare = (
  config: string,
  folder: string,
) => { readonly args: string[]; readonly text: (block: string) => string };

/** Ports that were free a moment ago may be taken when a proxy asks for them. */
const ATTEMPTS = 5;

async function startReal(program: string, options: RealProxyOptions, prepare: Prepare): Promise<Proxy> {
  const path = findProgram(program);
  if (path === undefined) throw new Error(`There is no ${program}: \`npm test\` installs it.`);
  const folder = await mkdtemp(join(tmpdir(), `partyline-${program}-`));
  const config = join(folder, "proxy.conf");
  const { args, text } = prepare(config, folder);
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    await writeFile(config, text(fill(options, port)));
    const child = spawn(path, args, { stdio: ["ignore", "ignore", "pipe"] });
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

function fill({ block, upstream, change = (text) => text }: RealProxyOptions, port: number): string {
  return change(proxyBlock(block))
    .replace(/(listen )80;/, `$1127.0.0.1:${port};`)
    .replace(/(bind ):80$/m, `$1127.0.0.1:${port}`)
    .replace(/127\.0\.0\.1:80(\d\d)/g, (_all, digits: string) => {
      const target = upstream[Number(digits) - 80];
      return target === undefined ? _all : `127.0.0.1:${target}`;
    });
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

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  if (address === null || typeof address === "string") throw new Error("No port.");
  return address.port;
}
