/** Real load balancers, configured as docs/deploying.md says. */
import { execFileSync } from "node:child_process";
import { type Proxy, type ProxyProgram, startProxy } from "../proxy-process.ts";
import { readText, repository } from "../source.ts";

interface Kind extends Omit<ProxyProgram, "config"> {
  readonly name: string;
  /** The block of the documentation as a whole configuration; `folder` is for its files. */
  config(block: string, port: number, folder: string): string;
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

/** Starts one in front of the servers at these ports. */
export function startLoadBalancer(kind: Kind, ports: readonly [number, number]): Promise<Proxy> {
  const block = documented(kind.name)
    .replace("10.0.0.7:8080", `127.0.0.1:${ports[0]}`)
    .replace("10.0.0.8:8080", `127.0.0.1:${ports[1]}`);
  return startProxy({ ...kind, config: (port, folder) => kind.config(block, port, folder) });
}

/** The block of code below the heading of this name. */
function documented(name: string): string {
  const text = readText(repository, "docs/deploying.md");
  const block = new RegExp(`^## ${name}$.*?^\`\`\`\\w*\\n(.*?)^\`\`\``, "ms").exec(text)?.[1];
  if (block === undefined) throw new Error(`docs/deploying.md has no block below "${name}".`);
  return block;
}
