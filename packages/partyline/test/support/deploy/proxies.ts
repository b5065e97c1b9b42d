/** Real load balancers, configured as docs/deploying.md says. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readText, repository } from "../source.ts";

/** A load balancer in front of two servers. */
export interface LoadBalancer extends AsyncDisposable {
  readonly url: string;
}

interface Kind {
  readonly name: string;
  readonly program: string;
  /** The block of the documentation as a whole configuration; `folder` is for its files. */
  config(block: string, port: number, folder: string): string;
  args(file: string, folder: string): readonly string[];
}

export const LOAD_BALANCERS: readonly Kind[] = [
  {
    name: "haproxy",
    program: "haproxy",
    config: (block, port) =>
      [
        "defaults\n  mode http\n  timeout connect 5s\n  timeout client 1h",
        `frontend front\n  bind 127.0.0.1:${port}\n  default_backend partyline`,
        block,
      ].join("\n"),
    args: (file) => ["-db", "-f", file],
  },
  {
    name: "nginx",
    program: "nginx",
    config: (block, port, folder) =>
      [
        `daemon off;\npid ${folder}/pid;\nerror_log stderr crit;\nevents {}\nhttp {\naccess_log off;`,
        ...["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
          (of) => `${of}_temp_path ${folder}/${of};`,
        ),
        block.replace("listen 80;", `listen 127.0.0.1:${port};`),
        "}\n",
      ].join("\n"),
    args: (file, folder) => ["-p", folder, "-c", file],
  },
];

/** Why it can't be had on this machine, or `undefined`. */
export function lacks({ program }: Kind): string | undefined {
  try {
    execFileSync(program, ["-v"], { stdio: "ignore" });
    return undefined;
  } catch {
    return `${program} is not installed`;
  }
}

/** Starts one; resolves when it listens. */
export async function startLoadBalancer(kind: Kind, ports: readonly [number, number]): Promise<LoadBalancer> {
  const folder = await mkdtemp(join(tmpdir(), "partyline-"));
  const port = await freePort();
  const block = documented(kind.name)
    .replace("10.0.0.7:8080", `127.0.0.1:${ports[0]}`)
    .replace("10.0.0.8:8080", `127.0.0.1:${ports[1]}`);
  const file = join(folder, "config");
  await writeFile(file, kind.config(block, port, folder));
  const child = spawn(kind.program, kind.args(file, folder), { stdio: ["ignore", "ignore", "pipe"] });
  await listening(child, port);
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      const ended = once(child, "close");
      child.kill("SIGTERM");
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}

/** The block of code below the heading of this name. */
function documented(name: string): string {
  const text = readText(repository, "docs/deploying.md");
  const block = new RegExp(`^## ${name}$.*?^\`\`\`\\w*\\n(.*?)^\`\`\``, "ms").exec(text)?.[1];
  if (block === undefined) throw new Error(`docs/deploying.md has no block below "${name}".`);
  return block;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function listening(child: ChildProcess, port: number): Promise<void> {
  let told = "";
  child.stderr?.on("data", (bytes: Buffer) => (told += bytes.toString()));
  for (;;) {
    if (child.exitCode !== null) throw new Error(`It did not start:\n${told}`);
    const socket = connect(port, "127.0.0.1");
    const open = await new Promise((resolve) =>
      socket.on("connect", () => resolve(true)).on("error", () => resolve(false)),
    );
    socket.destroy();
    if (open === true) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
