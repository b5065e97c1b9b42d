/**
 * A partyline server in a process of its own, which a test attacks. An exception that leaves partyline ends the process.
 *
 * The one argument is {@link Settings} as JSON.
 */
import { subscribe } from "node:diagnostics_channel";
import { readdirSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, Socket } from "node:net";
import { createPartyline } from "../../../src/server.ts";
import { makeCertificate } from "../certificate.ts";
import type { Ask, Settings, Usage } from "./index.ts";

const settings = JSON.parse(process.argv[2] ?? "{}") as Settings;

if (settings.countLoopback === true) {
  // The property `remoteAddress` itself cannot be replaced; it asks this.
  const sockets = Socket.prototype as unknown as { _getpeername(): { address?: string } };
  const real = sockets["_getpeername"];
  sockets["_getpeername"] = function (this: typeof sockets) {
    const { address = "", ...more } = real.call(this);
    return { ...more, address: address.replace(/^(?:::ffff:)?127\.0\.0\./, "203.0.113.") };
  };
}

const own = settings.retention;
const retention = own ? { retention: own } : {};
const server = createPartyline({
  channels: {
    "latest/**": { keep: "latest", ...retention },
    "nothing/**": { keep: "nothing" },
    "server/**": { publish: "server", ...retention },
    "**": retention,
  },
  compression: settings.compression ?? false,
  ...(settings.limits ? { limits: settings.limits } : {}),
  ...(settings.heartbeat ? { heartbeat: settings.heartbeat } : {}),
  logger: {
    info: () => undefined,
    warn: () => undefined,
    error: (message, details) => void process.stderr.write(`${message} ${JSON.stringify(details ?? {})}\n`),
  },
});

const { fault } = settings;
if (fault !== undefined)
  subscribe("http.server.request.start", (message) => {
    if ((message as { request: IncomingMessage }).request.url?.includes(fault)) process.exit(9);
  });

// A server that listens on loopback does not look at addresses, so a run that counts them listens on all.
const host = settings.countLoopback === true ? "0.0.0.0" : "127.0.0.1";
const http =
  settings.host === "guest" ? createServer((_request, response) => response.end("own")) : undefined;

async function listen(): Promise<number> {
  if (!http) {
    const tls = settings.host === "tls" ? { tls: makeCertificate() } : {};
    return (await server.listen(0, host, tls)).port;
  }
  server.attach(http);
  await new Promise<void>((resolve) => http.listen(0, host, resolve));
  return (http.address() as AddressInfo).port;
}

/** CPU time of the main thread so far, in milliseconds; of all threads on a Node without that figure. */
function cpuTime(): number {
  // Node 22 has no such function.
  const { user, system } = process.threadCpuUsage?.() ?? process.cpuUsage();
  return (user + system) / 1_000;
}

// CPU time and not time: on a busy machine the process waits for others.
let longest = 0;
let looked = cpuTime();
const looks = setInterval(() => {
  const now = cpuTime();
  longest = Math.max(longest, now - looked);
  looked = now;
}, 1);
// The process is to end by itself after `close()`.
looks.unref();

function openFiles(): number {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return 0;
  }
}

async function measure(): Promise<Usage> {
  const stretch = longest;
  const { user, system } = process.cpuUsage();
  const { rss } = process.memoryUsage();
  for (let round = 0; round < 4; round++) {
    gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external } = process.memoryUsage();
  // The collections are not the attacker's.
  longest = 0;
  looked = cpuTime();
  return {
    held: heapUsed + external,
    rss,
    peak: process.resourceUsage().maxRSS * 1024,
    cpu: (user + system) / 1000,
    stretch,
    connections: server.connections,
    files: openFiles(),
  };
}

const exit = (): void => process.exit();

async function close(): Promise<void> {
  process.off("disconnect", exit);
  await server.close();
  http?.close();
  process.disconnect?.();
}

process.on("disconnect", exit);
process.on("message", (ask: Ask) => {
  if (ask === "close") void close();
  else void measure().then((usage) => process.send?.(usage));
});
process.send?.({ port: await listen() });
