/** The client with everything in it, in a service worker of a real browser. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { expect, it } from "vitest";
import { chromiumOptions } from "../../../scripts/chromium.ts";
import { createPartyline } from "../src/server.ts";
import { silent } from "./support/line-rig.ts";
import { packageFolder } from "./support/source.ts";

/** Publishes on a channel when the page asks for it, and answers with the transport. */
const WORKER = `
  import { createClient } from "./src/client/static/index.ts";
  addEventListener("message", (event) => event.waitUntil((async () => {
    const client = createClient("/", { transports: event.data });
    const { position } = await client.channel("a").publish("from the worker");
    event.source.postMessage([client.state.transport, typeof position]);
    await client.close();
  })()));`;

it.each(["ws", "sse", "poll"])("publishes from a service worker over %s", async (transport) => {
  await using server = createPartyline({ logger: silent });
  const { outputFiles } = await build({
    stdin: { contents: WORKER, resolveDir: packageFolder },
    absWorkingDir: packageFolder,
    bundle: true,
    format: "iife",
    outfile: join(packageFolder, "worker.js"),
    write: false,
  });
  const host = createServer((request, response) => {
    const isWorker = request.url === "/worker.js";
    response.setHeader("content-type", isWorker ? "text/javascript" : "text/html");
    response.end(isWorker ? outputFiles[0]?.text : "<!doctype html><title>page</title>");
  });
  server.attach(host);
  await new Promise<void>((resolve) => host.listen(0, "127.0.0.1", resolve));
  const browser = await chromium.launch(chromiumOptions());
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(host.address() as AddressInfo).port}/`);
    const answer = await page.evaluate(async (name) => {
      await navigator.serviceWorker.register("/worker.js");
      const { active } = await navigator.serviceWorker.ready;
      return new Promise<unknown>((resolve) => {
        navigator.serviceWorker.onmessage = ({ data }) => resolve(data);
        active?.postMessage([name]);
      });
    }, transport);
    expect(answer).toEqual([transport, "string"]);
  } finally {
    await browser.close();
    host.closeAllConnections();
    host.close();
  }
});
