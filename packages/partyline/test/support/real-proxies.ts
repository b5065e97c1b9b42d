/** nginx and HAProxy as child processes, configured by what docs/proxies.md tells people to write. */
import { type Proxy, startProxy } from "./proxy-process.ts";
import { readText, repository } from "./source.ts";

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
  return startProxy({
    program: "nginx",
    args: (file, folder) => ["-c", file, "-p", folder, "-e", "stderr"],
    config: (port, folder) => `
      daemon off;
      pid ${folder}/nginx.pid;
      ${process.getuid?.() === 0 ? "user root;" : ""}
      events {}
      http {
        access_log off;
        ${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder}/${name};`).join("\n")}
        ${fill(options, port)}
      }`,
  });
}

/** Starts HAProxy; the block is all of its configuration. */
export function startHaproxy(options: RealProxyOptions): Promise<Proxy> {
  return startProxy({
    program: "haproxy",
    args: (file) => ["-db", "-f", file],
    config: (port) => fill(options, port),
  });
}

/** A block of docs/proxies.md, as people would copy it. */
export function proxyBlock(name: string): string {
  const text = readText(repository, "docs/proxies.md");
  const match = new RegExp(`<!-- test: ${name} -->\\s+\`\`\`\\w*\\n(.*?)\`\`\``, "s").exec(text);
  if (!match?.[1]) throw new Error(`docs/proxies.md has no block marked "test: ${name}".`);
  return match[1];
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
