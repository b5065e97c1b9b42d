/** The client for runtimes that load no code later. */
import { join } from "node:path";
import { build } from "esbuild";
import { expect, it } from "vitest";
import type { Client } from "../src/client/index.ts";
import { createClient } from "../src/client/static/index.ts";
import { createPartyline } from "../src/server.ts";
import { packageFolder } from "./support/source.ts";
import { until } from "./support/until.ts";

it("loads no code later, but for channel.follow", async () => {
  const later: string[] = [];
  await build({
    entryPoints: [join(packageFolder, "src/client/static/index.ts")],
    bundle: true,
    format: "esm",
    write: false,
    logLevel: "silent",
    treeShaking: true,
    plugins: [
      {
        name: "later",
        setup(building) {
          building.onResolve({ filter: /./ }, ({ kind, path }) =>
            kind === "dynamic-import" ? { path, external: true } : undefined,
          );
        },
      },
    ],
  }).then(({ outputFiles }) => {
    for (const [, path] of outputFiles[0]?.text.matchAll(/import\("([^"]+)"\)/g) ?? [])
      later.push(path ?? "");
  });
  expect(later).toEqual(["./follow/follow-channel.ts"]);
});

it("falls back over all transports", async () => {
  await using server = createPartyline();
  const { url } = await server.listen(0, "127.0.0.1");
  /** As behind a proxy that holds streams back. */
  const buffering: typeof fetch = async (input, init) => {
    const response = await fetch(input, init);
    return new Headers(init?.headers).get("accept") === "text/event-stream"
      ? new Response(null, { status: 502 })
      : response;
  };
  class Blocked extends WebSocket {
    constructor() {
      super(`${url.replace("http", "ws")}/nothing/here`);
    }
  }
  await using client: Client = createClient(url, {
    fetch: buffering,
    WebSocket: Blocked,
  });
  expect(await client.channel("a").publish(1)).toMatchObject({ duplicate: false });
  await until(() => client.state.transport === "poll");
});
