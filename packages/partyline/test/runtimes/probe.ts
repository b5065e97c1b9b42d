/**
 * One program that is run by each runtime: a server, and readers and publishers of every kind, in one process. It writes
 * the outcome of each probe as JSON.
 *
 * Arguments: URL of the built package, and the host (`listen`, `attach` or `fetch`).
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import type * as ClientPackage from "../../src/client/index.ts";
import type { Client, TransportName } from "../../src/client/index.ts";
import type * as ServerPackage from "../../src/index.ts";
import type { Partyline } from "../../src/index.ts";
import { type HostName, type Outcome, PROBES, type ProbeName } from "./probes.ts";

/** Time limit of one probe in milliseconds. */
const LIMIT_MS = 10_000;

/** The globals of Bun and Deno that serve a fetch handler. */
interface FetchRuntimes {
  readonly Bun?: {
    serve(options: { port: number; fetch(request: Request, host: BunServer): Promise<Response> }): {
      port: number;
    };
  };
  readonly Deno?: {
    serve(
      options: { port: number; onListen(): void },
      fetch: (request: Request, info: { remoteAddr: { hostname: string } }) => Promise<Response>,
    ): { addr: { port: number } };
  };
}

interface BunServer {
  requestIP(request: Request): { address: string } | null;
}

const [dist = "", host = "listen"] = process.argv.slice(2) as [string?, HostName?];
const { createPartyline } = (await import(`${dist}/index.js`)) as typeof ServerPackage;
const { createClient } = (await import(`${dist}/client/index.js`)) as typeof ClientPackage;

const server = createPartyline({ hosts: ["localhost", "127.0.0.1"] });
const url = `http://127.0.0.1:${await open(server)}`;

async function open(partyline: Partyline): Promise<number> {
  if (host === "listen") return (await partyline.listen(0, "127.0.0.1")).port;
  if (host === "attach") {
    const { IncomingMessage } = partyline;
    const http = createServer({ IncomingMessage }, (_request, response) => response.end("the application"));
    partyline.attach(http);
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    return (http.address() as AddressInfo).port;
  }
  const { Bun, Deno } = globalThis as FetchRuntimes;
  if (Bun)
    return Bun.serve({
      port: 0,
      fetch: (request, bun) => partyline.fetch(request, { address: bun.requestIP(request)?.address ?? "" }),
    }).port;
  if (Deno)
    return Deno.serve({ port: 0, onListen: () => undefined }, (request, { remoteAddr }) =>
      partyline.fetch(request, { address: remoteAddr.hostname }),
    ).addr.port;
  throw new Error("This runtime has no fetch host of its own.");
}

interface Publication {
  readonly position: string;
}

async function post(channel: string, data: unknown): Promise<Publication> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${url}/channels/${channel}`, {
    method: "POST",
    headers,
    body: JSON.stringify(data),
  });
  if (response.status !== 201) throw new Error(`POST: ${response.status} ${await response.text()}`);
  return (await response.json()) as Publication;
}

/** Reads an event stream until its text matches; meanwhile `act` may cause what is waited for. */
async function readStream(
  path: string,
  pattern: RegExp,
  headers: Record<string, string> = {},
  act: () => Promise<unknown> = () => Promise.resolve(),
): Promise<void> {
  const abort = new AbortController();
  const response = await fetch(`${url}${path}`, {
    headers: { accept: "text/event-stream", ...headers },
    signal: abort.signal,
  });
  if (!response.ok || !response.body) throw new Error(`GET ${path}: ${response.status}`);
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let acted = false;
  while (!pattern.test(text)) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`The stream ended after ${JSON.stringify(text)}.`);
    text += decoder.decode(value, { stream: true });
    if (acted) continue;
    acted = true;
    await act();
  }
  abort.abort();
}

async function withClient(transport: TransportName, use: (client: Client) => Promise<void>): Promise<void> {
  const client = createClient(url, { transports: [transport] });
  try {
    await use(client);
  } finally {
    await client.close();
  }
}

/** A client reads what was published before and what it publishes itself. */
function throughClient(transport: TransportName): Promise<void> {
  return withClient(transport, async (client) => {
    const name = `client/${transport}`;
    await post(name, { n: 1 });
    const channel = client.channel<{ n: number }>(name, { since: "earliest" });
    const messages = channel.messages();
    const first = await messages.next();
    await channel.publish({ n: 2 });
    const second = await messages.next();
    const read = JSON.stringify([first.value?.data, second.value?.data]);
    if (read !== '[{"n":1},{"n":2}]') throw new Error(`It read ${read}.`);
  });
}

const RUN: Readonly<Record<ProbeName, () => Promise<void>>> = {
  async publish() {
    const { position } = await post("publish", { n: 1 });
    if (!/^[0-9a-z]{12}:1$/.test(position)) throw new Error(`The position is ${position}.`);
  },
  async history() {
    await post("history", { n: 1 });
    const response = await fetch(`${url}/channels/history?since=earliest`);
    const { messages } = (await response.json()) as { messages: { data: unknown }[] };
    const read = JSON.stringify(messages.map(({ data }) => data));
    if (read !== '[{"n":1}]') throw new Error(`It read ${read}.`);
  },
  sse: () =>
    readStream("/channels/sse", /event: continuous[^]*data: {"n":1}\n/, {}, () => post("sse", { n: 1 })),
  events: () =>
    readStream("/events?channel=ev/a&channel=ev/b", /"channel":"ev\/b".*"data":{"n":1}/, {}, () =>
      post("ev/b", { n: 1 }),
    ),
  "connect ws": () => throughClient("ws"),
  "connect sse": () => throughClient("sse"),
  "connect poll": () => throughClient("poll"),
  async resume() {
    const { position } = await post("resume", { n: 1 });
    await post("resume", { n: 2 });
    await readStream("/channels/resume", /event: continuous[^]*data: {"n":2}\n/, {
      "last-event-id": position,
    });
  },
  async gap() {
    await post("gap", { n: 1 });
    await readStream("/channels/gap?since=000000000000:5", /event: gap[^]*"reason":"epoch"/);
    await withClient(host === "fetch" ? "sse" : "ws", async (client) => {
      const channel = client.channel("gap", { since: "000000000000:5" });
      await new Promise<void>((resolve) => {
        channel.on("gap", () => resolve());
        channel.on("message", () => undefined);
      });
    });
  },
};

const outcomes: Partial<Record<ProbeName, Outcome>> = {};
for (const name of PROBES[host]) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error("nothing came in time")), LIMIT_MS);
  });
  outcomes[name] = await Promise.race([RUN[name](), late]).then(
    () => "ok",
    (error: unknown) => String(error),
  );
  clearTimeout(timer);
}
await server.close();
process.stdout.write(`${JSON.stringify(outcomes)}\n`, () => process.exit(0));
