/** Clients of every kind behind what may stand between them and a server. */
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import compression from "compression";
import { EventSource } from "eventsource";
import express from "express";
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type Client, createClient, type TransportName } from "../src/client/index.ts";
import { createPartyline, type Partyline, type PartylineOptions } from "../src/server.ts";
import { createDisposables } from "./support/disposables.ts";
import { silent } from "./support/line-rig.ts";
import { startOwnProxy } from "./support/own-proxies.ts";
import type { Proxy } from "./support/proxy-process.ts";
import { startHaproxy, startNginx } from "./support/real-proxies.ts";
import { Inbox } from "./transport/probe.ts";

/** The first message is there within so many ms, whatever is in between. */
const PROMISE = 3_000;

/** Proxies that cut quiet connections do so after so many seconds in these tests; heartbeats come every two. */
const QUIET = 5;

/** So many heartbeats, or polls of half the time, are longer than that. */
const BEATS = 3;

interface Way {
  readonly name: string;
  start(server: Partyline): Promise<Proxy>;
  /** Does the server compress? Then what comes is not compressed again. */
  readonly compression?: { readonly threshold: number };
  /** What our client uses in the end, and of which better ones it says why not. */
  readonly transport: TransportName;
  readonly because?: readonly TransportName[];
  /** Clients that can't get through here, with no way to help themselves. */
  readonly lost?: readonly Kind[];
}

type Kind = "EventSource" | "WebSocket";

const port = async (server: Partyline): Promise<number> => (await server.listen(0)).port;
const own = (habits: Parameters<typeof startOwnProxy>[1]) => async (server: Partyline) =>
  startOwnProxy(await port(server), habits);

const shorter = (block: string): string => block.replace(/\b60s/g, `${QUIET}s`);
/** Everything is compressed that can be, and soon cut. */
const eager = (block: string): string =>
  shorter(block)
    .replace("gzip on;", "gzip on; gzip_types *; gzip_min_length 1;")
    .replace("proxy_pass", `proxy_read_timeout ${QUIET}s; proxy_pass`);

const WAYS: readonly Way[] = [
  {
    name: "nginx as it comes",
    start: async (server) => startNginx({ block: "nginx", upstream: [await port(server)], change: eager }),
    transport: "sse",
    because: ["ws"],
    lost: ["WebSocket"],
  },
  {
    name: "nginx configured for WebSockets",
    start: async (server) =>
      startNginx({ block: "nginx with WebSockets", upstream: [await port(server)], change: shorter }),
    transport: "ws",
  },
  {
    name: "HAProxy",
    start: async (server) =>
      startHaproxy({ block: "haproxy", upstream: [await port(server)], change: shorter }),
    transport: "ws",
  },
  { name: "Express with compression()", start: startExpress, transport: "ws" },
  {
    name: "a proxy that strips Upgrade",
    start: own({ upgrades: "strip", streams: "forward", quiet: QUIET * 1_000 }),
    transport: "sse",
    because: ["ws"],
    lost: ["WebSocket"],
  },
  {
    name: "a proxy that never answers an upgrade",
    start: own({ upgrades: "swallow", streams: "forward" }),
    transport: "sse",
    because: ["ws"],
    lost: ["WebSocket"],
  },
  {
    name: "a proxy that holds streams back",
    start: own({ upgrades: "forward", streams: "hold", quiet: QUIET * 1_000 }),
    transport: "ws",
    lost: ["EventSource"],
  },
  {
    name: "a proxy that strips Upgrade and holds streams back",
    start: own({ upgrades: "strip", streams: "hold" }),
    transport: "poll",
    because: ["ws", "sse"],
    lost: ["WebSocket", "EventSource"],
  },
  {
    name: "a proxy that never answers an upgrade and holds streams back behind their heads",
    start: own({ upgrades: "swallow", streams: "hold body" }),
    transport: "poll",
    because: ["ws", "sse"],
    lost: ["WebSocket", "EventSource"],
  },
];

const COMPRESSED: readonly Way[] = WAYS.filter(({ name }) => /^nginx as it|HAProxy|Express/.test(name)).map(
  (way) => ({ ...way, name: `${way.name}, with a server that compresses`, compression: { threshold: 0 } }),
);

async function startExpress(server: Partyline): Promise<Proxy> {
  const app = express();
  app.use(compression({ threshold: 0 }));
  app.use(server.handler);
  const http = createServer(app);
  http.on("upgrade", server.upgrade);
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      await server.close();
      await new Promise<void>((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      });
    },
  };
}

/** Somebody who follows the channel `a` from its beginning. */
interface Follower extends AsyncDisposable {
  next(): Promise<string>;
  /** Resolves when it was given several signs of life, with nothing else to say in between. */
  quiet?(): Promise<void>;
  /** Did its connection end? */
  broken?(): boolean;
}

function followByClient(client: Client): Follower {
  const told = new Inbox<string>();
  client.channel<string>("a", { since: "earliest" }).on("message", ({ data }) => told.push(data));
  return { next: () => told.next(), [Symbol.asyncDispose]: () => client.close() };
}

function followByEventSource(url: string): Follower {
  const [told, comments] = [new Inbox<string>(), new Inbox<string>()];
  let errors = 0;
  const source = new EventSource(`${url}/channels/a?since=earliest`, {
    fetch: async (target, init) => {
      const response = await fetch(target, init);
      const watch = new TransformStream<Uint8Array, Uint8Array>({
        transform(bytes, controller) {
          const text = Buffer.from(bytes).toString();
          if (text.startsWith(":")) comments.push(text);
          controller.enqueue(bytes);
        },
      });
      const { status, redirected, headers, body } = response;
      return { url: response.url, status, redirected, headers, body: body?.pipeThrough(watch) ?? null };
    },
  });
  source.addEventListener("message", ({ data }) => told.push(String(data)));
  source.addEventListener("error", () => void errors++);
  return {
    next: () => told.next(),
    quiet: () => take(comments, BEATS),
    broken: () => errors > 0,
    [Symbol.asyncDispose]: async () => source.close(),
  };
}

function followByWebSocket(url: string): Follower {
  const [told, pings] = [new Inbox<string>(), new Inbox<unknown>()];
  const socket = new WebSocket(`${url.replace("http", "ws")}/channels/a?since=earliest`);
  socket.on("message", (data: Buffer) => told.push(data.toString()));
  socket.on("ping", (data) => pings.push(data));
  socket.on("error", () => undefined);
  return {
    next: () => told.next(),
    quiet: () => take(pings, BEATS),
    broken: () => socket.readyState !== WebSocket.OPEN,
    [Symbol.asyncDispose]: async () => socket.terminate(),
  };
}

/** Long polls, each by a curl of its own. */
function followByCurl(url: string): Follower {
  const [told, empty] = [new Inbox<string>(), new Inbox<string>()];
  let child: ReturnType<typeof spawn> | undefined;
  let over = false;
  const poll = (since: string): void => {
    let text = "";
    // Shorter than any proxy here lets a request wait.
    child = spawn("curl", ["-s", `${url}/channels/a?since=${since}&wait=2`]);
    child.stdout?.setEncoding("utf8").on("data", (piece: string) => (text += piece));
    child.on("close", () => {
      if (over) return;
      const { messages, position } = JSON.parse(text) as { messages: { data: string }[]; position: string };
      for (const { data } of messages) told.push(data);
      if (messages.length === 0) empty.push(position);
      poll(position);
    });
  };
  poll("earliest");
  return {
    next: () => told.next(),
    quiet: () => take(empty, BEATS),
    async [Symbol.asyncDispose]() {
      over = true;
      child?.kill();
    },
  };
}

async function take<T>(inbox: Inbox<T>, count: number): Promise<void> {
  for (let n = 0; n < count; n++) await inbox.next();
}

/** The promise, which breaks when it is late. */
function kept<T>(promise: Promise<T>, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${what}: nothing within ${PROMISE} ms`)), PROMISE);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

async function post(url: string, body: string): Promise<number> {
  return (await fetch(`${url}/channels/a`, { method: "POST", body })).status;
}

const start = (options: PartylineOptions = {}): Partyline => createPartyline({ logger: silent, ...options });

/** A client of each kind that has a chance. */
function followers(url: string, client: Client, { lost = [] }: Way): Map<string, Follower> {
  return new Map<string, Follower>([
    ["our client", followByClient(client)],
    ["curl", followByCurl(url)],
    ...(lost.includes("EventSource") ? [] : [["EventSource", followByEventSource(url)] as const]),
    ...(lost.includes("WebSocket") ? [] : [["WebSocket", followByWebSocket(url)] as const]),
  ]);
}

describe("within 3 s each client has the first message, and then what is published, in order, once", () => {
  it.each([...WAYS, ...COMPRESSED])("behind $name", async (way) => {
    await using server = start({ compression: way.compression ?? false });
    await using proxy = await way.start(server);
    await using all = createDisposables();
    expect(await post(proxy.url, "first")).toBe(201);
    const client = createClient(proxy.url);
    const told = followers(proxy.url, client, way);
    for (const one of told.values()) all.use(one);
    await Promise.all(
      [...told].map(async ([name, one]) => expect(await kept(one.next(), name)).toBe("first")),
    );
    const big = "x".repeat(60_000);
    await client.channel("a").publish("by our client", { kind: "text" });
    expect(await post(proxy.url, big)).toBe(201);
    for (const one of told.values()) {
      expect(await one.next()).toBe("by our client");
      // Not to fill the screen where it fails.
      expect((await one.next()) === big).toBe(true);
    }
    expect(client.state).toMatchObject({ status: "live", transport: way.transport });
    expect(Object.keys(client.state.because ?? {})).toEqual(way.because ?? []);
  });
});

describe.concurrent(
  "a quiet time longer than the proxy's limit breaks no connection, and loses nothing",
  () => {
    // Next to each other: they do little but wait.
    it.each(WAYS)("behind $name", { timeout: 30_000 }, async (way) => {
      await using server = start({
        heartbeat: { ping: 2, pong: 2, comment: 2 },
        intervals: { mark: 60_000 },
      });
      await using proxy = await way.start(server);
      await using all = createDisposables();
      const client = createClient(proxy.url, { pingInterval: 1_000 });
      const told = [...followers(proxy.url, client, way).values()];
      for (const one of told) all.use(one);
      await post(proxy.url, "before");
      await Promise.all(told.map(async (one) => expect(await one.next()).toBe("before")));
      // On a slow machine a better transport may come late, and take over meanwhile.
      const losses: unknown[] = [];
      client.on("state", (state) => void (state.status !== "live" && losses.push(state)));
      await Promise.all(told.map(async (one) => one.quiet?.()));
      await post(proxy.url, "after");
      await Promise.all(told.map(async (one) => expect(await one.next()).toBe("after")));
      expect(losses).toEqual([]);
      expect(told.filter((one) => one.broken?.())).toEqual([]);
    });
  },
);

describe.concurrent("a proxy that cuts what is quiet sooner than anybody pings", () => {
  it.each(["ws", "sse", "poll"] as const)(
    "is noticed by the client, which keeps its connection over %s from then on",
    { timeout: 60_000 },
    async (transport) => {
      // Less than two seconds apart nothing is learnt.
      await using server = start({ heartbeat: { ping: 60, comment: 60 }, intervals: { mark: 60_000 } });
      const habits = { upgrades: "forward", streams: "forward", quiet: 3_000 } as const;
      await using proxy = await startOwnProxy(await port(server), habits);
      await using client = createClient(proxy.url, { transports: [transport], baseDelay: 1, maxDelay: 10 });
      const follower = followByClient(client);
      let losses = 0;
      client.on("state", ({ status }) => void (status === "reconnecting" && losses++));
      await using watch = followByCurl(proxy.url);
      // Each of these times is twice as long as what the proxy allows.
      for (let before = -1; before < losses || losses === 0;) {
        before = losses;
        await watch.quiet?.();
      }
      await post(proxy.url, "still there");
      expect(await follower.next()).toBe("still there");
    },
  );
});
