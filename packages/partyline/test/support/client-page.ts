import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";
import { build } from "esbuild";
import { createPartyline, type Partyline, type PartylineOptions } from "../../src/server.ts";
import { silent } from "./line-rig.ts";
import { packageFolder } from "./source.ts";

/** A server with a page at `/` that has all of `partyline/client` in a global `partyline`, as a page with a bundle has. */
export interface ClientPage extends AsyncDisposable {
  readonly server: Partyline;
  readonly port: number;
  /** Of the page; loopback, or Chromium would not let it open WebSockets to loopback. */
  readonly url: string;
}

const HTML =
  '<!doctype html><meta charset="utf-8"><title>partyline</title><link rel="icon" href="data:,">' +
  '<script type="module">import * as partyline from "/client/index.js"; globalThis.partyline = partyline;</script>';

/** Bundles the source as it is, parts that are loaded later in files of their own. */
async function bundle(entries: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>> {
  const { outputFiles } = await build({
    entryPoints: entries.map((entry) => join(packageFolder, "src", entry)),
    outdir: "client",
    bundle: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    platform: "browser",
    write: false,
    logLevel: "silent",
  });
  return new Map(outputFiles.map(({ path, contents }) => [basename(path), contents]));
}

/** @param port 0 for any; a test that starts a server anew gives the one that it had. */
export async function startClientPage(
  options: PartylineOptions = {},
  port = 0,
  entries: readonly string[] = ["client/index.ts"],
): Promise<ClientPage> {
  const files = await bundle(entries);
  const server = createPartyline({ logger: silent, ...options });
  const http = createServer({ IncomingMessage: server.IncomingMessage }, ({ url = "" }, response) => {
    const file = url.startsWith("/client/") ? files.get(basename(url)) : undefined;
    response.setHeader("content-type", file ? "text/javascript" : "text/html");
    response.statusCode = file || url.split("?")[0] === "/" ? 200 : 404;
    response.end(file ?? HTML);
  });
  server.attach(http);
  await new Promise<void>((resolve) => http.listen(port, "127.0.0.1", resolve));
  const address = http.address() as AddressInfo;
  return {
    server,
    port: address.port,
    url: `http://127.0.0.1:${address.port}/`,
    async [Symbol.asyncDispose]() {
      await server.close();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}
