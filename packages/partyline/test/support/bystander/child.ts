/** A peer that uses a server as intended and notes how long it waits. Its one argument is {@link Place} as JSON. */
import { Agent as HttpAgent, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { WebSocket } from "ws";
import type { Account, Place } from "./index.ts";

const { port, tls, from = "127.0.0.1" } = JSON.parse(process.argv[2] ?? "{}") as Place;

/** Pause between an answer and the next request, in milliseconds. */
const PAUSE = 3;

let waits: number[] = [];
let faults = new Set<string>();
/** Start of each request that has no answer yet. */
const pending = new Set<number>();

/** Notes how long this takes. */
async function noted(act: () => Promise<string | undefined>): Promise<void> {
  const start = performance.now();
  pending.add(start);
  try {
    const fault = await act();
    if (fault !== undefined) faults.add(fault);
  } catch (error) {
    faults.add(String(error));
  }
  pending.delete(start);
  waits.push(performance.now() - start);
}

/** Asks again and again, one request at a time. */
async function repeat(act: () => Promise<string | undefined>): Promise<never> {
  for (;;) {
    await noted(act);
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

const agent = tls ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true });

function get(kept: boolean): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const options = {
      host: "127.0.0.1",
      localAddress: from,
      port,
      path: "/channels/bystander?limit=1",
      headers: { host: "localhost" },
      agent: kept ? agent : false,
      rejectUnauthorized: false,
    };
    const asked = (tls ? httpsRequest : httpRequest)(options, (response) => {
      response.resume().on("end", () => {
        const { statusCode } = response;
        resolve(statusCode === 200 ? undefined : `status ${statusCode}`);
      });
    });
    asked.on("error", (error: Error & { code?: string }) => {
      // The server may end a kept connection at any time; the request is asked again on a new one.
      if (asked.reusedSocket && error.code === "ECONNRESET") resolve(get(false));
      else reject(error);
    });
    asked.end();
  });
}

const socket = new WebSocket(`${tls ? "wss" : "ws"}://localhost:${port}/connect`, {
  rejectUnauthorized: false,
  localAddress: from,
  // `localhost` may be ::1 first.
  family: 4,
});
let next = 1;
let taken: ((line: string) => void) | undefined;
socket.on("message", (data: Buffer) => {
  const line = data.toString();
  taken?.(line);
});
socket.on("error", (error) => faults.add(String(error)));
socket.on("close", (code) => faults.add(`the WebSocket was closed with ${code}`));

/** The broker's time at the start of this process. */
let welcomed = 0;

/** Resolves when the server has stored this publish. */
function publish(): Promise<string | undefined> {
  const n = next++;
  const id = `b${process.pid}-${n}`;
  const line = {
    t: "publish",
    n,
    channel: "bystander",
    id,
    at: Math.round(welcomed + performance.now()),
    data: n,
  };
  return new Promise((resolve) => {
    taken = (answer) => {
      if (answer.includes(`"error"`)) resolve(answer);
      else if (answer.includes(`"n":${n}`)) resolve(undefined);
    };
    socket.send(JSON.stringify(line));
  });
}

function account(): Account {
  const now = performance.now();
  const all = [...waits, ...[...pending].map((start) => now - start)].sort((one, other) => one - other);
  const told = {
    answered: waits.length,
    longest: all.at(-1) ?? 0,
    p99: all[Math.floor(all.length * 0.99)] ?? 0,
    faults: [...faults],
  };
  waits = [];
  faults = new Set();
  return told;
}

await new Promise((resolve) => socket.on("open", resolve));
await new Promise<void>((resolve) => {
  taken = (welcome) => {
    welcomed = (JSON.parse(welcome) as { time: number }).time - performance.now();
    resolve();
  };
  socket.send('{"t":"hello","v":1}');
});
for (const act of [publish, () => get(true), () => get(false)]) {
  // The first of each compiles code.
  await noted(act);
  void repeat(act);
}
process.on("disconnect", () => process.exit());
process.on("message", () => void process.send?.(account()));
process.send?.("ready");
