import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createPartyline, type Partyline, type PartylineOptions } from "../src/server.ts";
import { createVirtualClock } from "../src/testing/virtual-clock.ts";
import { ByteLine } from "./support/byte-line.ts";
import { chunkedBody } from "./support/chunks.ts";
import { silent } from "./support/line-rig.ts";
import { openRawSse, readStream } from "./transport/http-probes.ts";
import { Inbox } from "./transport/probe.ts";
import type { ReadSseEvent } from "../src/protocol/sse.ts";

let server: Partyline;
let url: string;
let port: number;
const lines: ByteLine[] = [];
const others: Server[] = [];

async function start(options: PartylineOptions = {}): Promise<void> {
  server = createPartyline(options);
  ({ url, port } = await server.listen(0));
}

beforeEach(() => start());

afterEach(async () => {
  for (const { socket } of lines.splice(0)) socket.destroy();
  await server.close();
  for (const other of others.splice(0)) other.close();
});

async function restart(options: PartylineOptions): Promise<void> {
  await server.close();
  await start(options);
}

const HEAD = "Host: localhost\r\n";
const GET = `GET /channels/a HTTP/1.1\r\n${HEAD}Accept: text/event-stream\r\n\r\n`;

function newLine(to = port): ByteLine {
  const line = new ByteLine(to);
  lines.push(line);
  return line;
}

async function openLine(bytes: string, to = port): Promise<ByteLine> {
  const line = newLine(to);
  line.socket.write(bytes);
  await line.until(() => line.text.includes("event: continuous") || line.ended);
  return line;
}

/** The server as a guest in one that knows nothing of it: streams take the ordinary way. */
async function listenAsGuest(more: { IncomingMessage?: typeof IncomingMessage } = {}): Promise<number> {
  const http = createServer(more, (_request, response) => response.writeHead(418).end());
  others.push(http);
  server.attach(http);
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  return (http.address() as AddressInfo).port;
}

describe("an event stream of a channel", () => {
  it("opens with where it stands, an id and retry, and gives each message its position [SSE-1, SSE-3, SSE-10]", async () => {
    await server.channel("a").publish({ goal: 1 });
    const head = await server.channel("a").position();
    const before = head.replace(":1", ":0");
    const line = await openLine(GET.replace("/channels/a", "/channels/a?since=earliest"));
    await line.until(() => line.text.includes('{"goal":1}'));
    expect(chunkedBody(line.text).text).toBe(
      `event: continuous\nid: ${before}\nretry: 2000\n` +
        `data: {"position":"${before}","head":"${head}","replayed":1}\n\nid: ${head}\ndata: {"goal":1}\n\n`,
    );
  });

  it("carries the headers that keep proxies from holding it back [SSE-13, GATE-8, HTTP-1]", async () => {
    const line = await openLine(GET);
    const head = line.text.slice(0, line.text.indexOf("\r\n\r\n"));
    for (const header of [
      "Content-Type: text/event-stream",
      "Cache-Control: no-store, no-transform",
      "X-Accel-Buffering: no",
      "Connection: close",
      "X-Content-Type-Options: nosniff",
      "Vary: Origin, Accept, Accept-Encoding",
    ])
      expect(head).toContain(header);
    expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\nDate: /);
    expect(head).toMatch(/\r\nTransfer-Encoding: chunked$/m);
  });

  it("sends what a stream can't carry as base64, and line ends of JSON as LF [SSE-4, SSE-5]", async () => {
    await using probe = await openRawSse({ url, channel: "a" });
    await server.channel("a").publish("a\rb");
    await server.channel("a").publish(new Uint8Array([0, 255]));
    await server.channel("a").publish("null");
    await fetch(`${url}/channels/a`, {
      method: "POST",
      body: "[1,\r\n2]",
      headers: { "content-type": "application/json" },
    });
    expect([await probe.next(), await probe.next(), await probe.next(), await probe.next()]).toMatchObject([
      { kind: "binary", data: Buffer.from("a\rb").toString("base64") },
      { kind: "binary", data: "AP8=" },
      { kind: "text", data: "null" },
      { kind: "json", data: "[1,\n2]" },
    ]);
  });

  it("resumes by Last-Event-ID, which wins over since, also where no message was seen [SSE-1, SSE-9, POS-8]", async () => {
    await server.channel("a").publish("1");
    let id: string;
    {
      await using first = await openRawSse({ url, channel: "a" });
      id = first.opening.position ?? "";
    }
    await server.channel("a").publish("2");
    await using resumed = await openRawSse({ url, channel: "a", since: "earliest" }, { "last-event-id": id });
    expect(resumed.opening).toMatchObject({ position: id, replayed: 1 });
    expect(await resumed.next()).toMatchObject({ data: "2" });
    await using again = await openRawSse({ url, channel: "a" }, { "last-event-id": id });
    expect(await again.next()).toMatchObject({ data: "2" });
    await using fresh = await openRawSse({ url, channel: "a", since: "earliest" }, { "last-event-id": "" });
    expect(fresh.opening).toMatchObject({ replayed: 2 });
  });

  it("tells a skip with its position, and a deletion with its key [SSE-6, SSE-7]", async () => {
    await restart({ channels: { "**": { keep: "latest" } } });
    await server.channel("a").publish("1", { key: "x" });
    await server.channel("a").publish("2", { key: "y" });
    await server.channel("a").publish("3", { key: "y" });
    const line = await openLine(GET);
    await server.channel("a").delete("x");
    await line.until(() => line.text.includes("event: deleted"));
    const epoch = (await server.channel("a").position()).split(":")[0];
    expect(line.text).toContain(
      `event: skip\nid: ${epoch}:2\ndata: {"from":"${epoch}:1","to":"${epoch}:2"}\n\nid: ${epoch}:3\ndata: 3\n\n`,
    );
    expect(line.text).toContain(`event: deleted\nid: ${epoch}:4\ndata: x\n\n`);
  });

  it("ends with the error that ended it [SSE-8]", async () => {
    const line = await openLine(GET);
    await server.close();
    await line.until(() => line.ended);
    const { text, ended } = chunkedBody(line.text);
    expect(text).toMatch(/event: error\ndata: \{"status":503,"code":"draining".*\}\n\n$/);
    expect(ended).toBe(true);
  });

  it("is sent a comment when nothing was written for a while, and `retry` never alone [SSE-2, LIVE-4]", async () => {
    await restart({ heartbeat: { comment: 1 } });
    const line = await openLine(GET);
    await line.until(() => line.text.includes("\n:\n\n"));
    for (const block of line.text.split("\n\n"))
      expect(/^retry:/m.test(block)).toBe(/^data:/m.test(block) && /^retry:/m.test(block));
  });

  it("is sent one comment for each quiet time, and none more [LIVE-4]", async () => {
    const clock = createVirtualClock();
    await using quiet = createPartyline({
      clock,
      logger: silent,
      heartbeat: { comment: 15 },
      intervals: { mark: 1e9 },
    });
    const response = await quiet.fetch(
      new Request("http://localhost/channels/a", { headers: { accept: "text/event-stream" } }),
    );
    clock.advance(5 * 60_000);
    const closed = quiet.close();
    clock.advance(60_000);
    const [, ...comments] = (await response.text()).split("\n:\n");
    await closed;
    // A look at each connection every second or two makes it a little less often than every 15 s.
    expect(comments.length).toBeGreaterThanOrEqual(300 / 18);
    expect(comments.length).toBeLessThanOrEqual(300 / 15);
  });

  it.each([
    { quiet: 5, most: 5 },
    { quiet: 0, most: 3 },
    { quiet: 60, most: 17 },
  ])("of `/connect` that asks for $quiet s of silence has $most s at most [LIVE-6]", async (asked) => {
    const clock = createVirtualClock();
    // As on a real clock, where no timer fires on the second.
    clock.advance(300);
    await using quiet = createPartyline({ clock, logger: silent, intervals: { mark: 1e9 } });
    const body = `{"t":"hello","v":1,"quiet":${asked.quiet}}\n{"t":"attach","n":1,"channel":"a"}`;
    const accept = "text/event-stream";
    const { body: stream } = await quiet.fetch(
      new Request("http://localhost/connect", { method: "POST", body, headers: { accept } }),
    );
    let [heard, longest] = [clock.now(), 0];
    const reading = (async () => {
      for await (const bytes of stream ?? []) if (bytes.length > 0) heard = clock.now();
    })();
    for (let step = 1; step < 1_000; step++) {
      // At all times between two looks.
      if (step % 207 === 0) void quiet.channel("a").publish(step);
      clock.advance(100);
      await new Promise((resolve) => setImmediate(resolve));
      longest = Math.max(longest, clock.now() - heard);
    }
    const closed = quiet.close();
    clock.advance(60_000);
    await Promise.all([closed, reading]);
    expect(longest).toBeGreaterThan(1_000);
    expect(longest).toBeLessThanOrEqual(asked.most * 1_000);
  });

  it("that takes no byte for too long is closed [ATT-7]", async () => {
    await restart({ limits: { slowReader: 1_000 }, retention: { bytes: 64 * 1024 * 1024 } });
    const line = await openLine(GET);
    line.socket.pause();
    const data = "x".repeat(60_000);
    while (server.connections > 0) {
      await server.channel("a").publish(data);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(server.counters().slow).toEqual({ "": 1 });
  });
});

describe("a stream on a server of ours", () => {
  it("takes the upgrade path of this Node: the bare socket, of which http knows nothing", async () => {
    let upgraded = 0;
    const to = await listenAsGuest({ IncomingMessage: server.IncomingMessage });
    others[0]?.on("upgrade", () => upgraded++);
    const line = await openLine(GET, to);
    expect(upgraded).toBe(1);
    expect(line.text).toMatch(/transfer-encoding: chunked/i);
  });

  it("goes on when its connection was kept alive from a publish, also pipelined", async () => {
    const post = `POST /channels/a HTTP/1.1\r\n${HEAD}Content-Length: 1\r\n\r\nx`;
    const line = await openLine(post + GET);
    expect(line.text).toMatch(/^HTTP\/1\.1 201 [^]*HTTP\/1\.1 200 OK[^]*event: continuous/);
    await server.channel("a").publish("later");
    await line.until(() => line.text.includes("data: later"));
  });

  it("takes a head that comes in pieces, and HTTP/1.0", async () => {
    const line = newLine();
    for (const piece of [
      "GET /channels/a HT",
      "TP/1.1\r\nHost: local",
      "host\r\nAccept: text/event-",
      "stream\r\n\r",
      "\n",
    ]) {
      await new Promise((resolve) => line.socket.write(piece, resolve));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await line.until(() => line.text.includes("event: continuous"));
    const old = await openLine(`GET /channels/a HTTP/1.0\r\n${HEAD}Accept: text/event-stream\r\n\r\n`);
    expect(old.text).toContain("event: continuous");
  });

  it("drops what comes from its client [SSE-14]", async () => {
    const line = await openLine(GET);
    line.socket.write(`POST /channels/a HTTP/1.1\r\n${HEAD}Content-Length: 1\r\n\r\nx`);
    await server.channel("a").publish("mine");
    await line.until(() => line.text.includes("data: mine"));
    expect(server.counters().published).toEqual({ "": 1 });
  });

  it("sees its client end, half or whole", async () => {
    const half = await openLine(GET);
    half.socket.end();
    const whole = await openLine(GET);
    whole.socket.resetAndDestroy();
    while (server.connections > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(server.counters().closed).toEqual({ sse: 2 });
  });

  it("answers an upgrade to what it does not speak as the request that it is", async () => {
    const line = newLine();
    line.socket.write(
      `GET /channels/a HTTP/1.1\r\n${HEAD}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n`,
    );
    await line.until(() => line.text.includes('"messages":[]'));
    expect(line.text).toMatch(/^HTTP\/1\.1 200 OK/);
  });
});

describe("a stream on a server of others", () => {
  it("takes the ordinary way, and gives the same events", async () => {
    const to = await listenAsGuest();
    const line = await openLine(GET, to);
    expect(line.text).toMatch(/transfer-encoding: chunked/i);
    await server.channel("a").publish("x");
    await line.until(() => line.text.includes("data: x"));
  });

  it("goes on if a second request comes behind it, which is not handled [SSE-14]", async () => {
    const to = await listenAsGuest();
    const line = await openLine(GET, to);
    line.socket.write(`POST /channels/a HTTP/1.1\r\n${HEAD}Content-Length: 1\r\n\r\nx`);
    await server.channel("a").publish("mine");
    await line.until(() => line.text.includes("data: mine"));
    expect(server.counters().published).toEqual({ "": 1 });
  });

  it("leaves event streams of its paths alone, with our class too", async () => {
    const to = await listenAsGuest({ IncomingMessage: server.IncomingMessage });
    const response = await fetch(`http://127.0.0.1:${to}/their/stream`, {
      headers: { accept: "text/event-stream" },
    });
    expect(response.status).toBe(418);
  });
});

describe("/events", () => {
  async function open(
    query: string,
    headers: Record<string, string> = {},
    to = port,
  ): Promise<Inbox<ReadSseEvent>> {
    const abort = new AbortController();
    const response = await fetch(`http://127.0.0.1:${to}/events?${query}`, {
      headers: { accept: "text/event-stream", ...headers },
      signal: abort.signal,
    });
    expect(response.status).toBe(200);
    const inbox = new Inbox<ReadSseEvent>();
    void readStream(response, { event: (event) => inbox.push(event), end: () => undefined });
    return inbox;
  }

  it("opens with an event for each channel, and names all positions in each id [EVENTS-1, EVENTS-2, EVENTS-3]", async () => {
    await server.channel("x").publish({ n: 1 });
    const inbox = await open("channel=x&channel=y&since=earliest");
    const [x, y] = [
      (await server.channel("x").position()).split(":")[0],
      (await server.channel("y").position()).split(":")[0],
    ];
    const first = await inbox.next();
    const second = await inbox.next();
    expect([first.event, first.id, JSON.parse(first.data)]).toMatchObject([
      "continuous",
      `v1,${x}:0,${y}:0`,
      { channel: "x" },
    ]);
    expect([second.event, second.id, JSON.parse(second.data)]).toMatchObject([
      "continuous",
      `v1,${x}:0,${y}:0`,
      { channel: "y" },
    ]);
    const message = await inbox.next();
    expect([message.event, message.id, JSON.parse(message.data)]).toEqual([
      "message",
      `v1,${x}:1,${y}:0`,
      { channel: "x", offset: 1, kind: "json", data: { n: 1 } },
    ]);
    await server.channel("y").publish("two");
    expect((await inbox.next()).id).toBe(`v1,${x}:1,${y}:1`);
  });

  it("resumes by its id, each channel with a gap of its own, `-` from now [EVENTS-3, EVENTS-6]", async () => {
    await server.channel("x").publish("1");
    await server.channel("y").publish("1");
    await server.channel("z").publish("1");
    const x = (await server.channel("x").position()).replace(":1", ":0");
    const inbox = await open("channel=x&channel=y&channel=z", {
      "last-event-id": `v1,${x},000000000000:5,-`,
    });
    const opening = [await inbox.next(), await inbox.next(), await inbox.next()];
    expect(opening.map(({ event }) => event)).toEqual(["continuous", "gap", "continuous"]);
    const messages = [await inbox.next(), await inbox.next()].map(({ data }) => JSON.parse(data) as object);
    expect(messages).toMatchObject([
      { channel: "x", offset: 1 },
      { channel: "y", offset: 1 },
    ]);
  });

  it.each([
    ["ours", () => Promise.resolve(port)],
    ["others", () => listenAsGuest()],
  ])("on a server of %s brings messages that fill a socket, each as it comes", async (_whose, listening) => {
    const inbox = await open("channel=x", {}, await listening());
    await inbox.next();
    // Line ends take two bytes in JSON, so that it is more than a socket takes before it is full.
    const data = "x\n".repeat(30_000);
    for (let n = 1; n <= 8; n++) {
      await server.channel("x").publish(data);
      const { id, data: told } = await inbox.next();
      expect([id.endsWith(`:${n}`), (JSON.parse(told) as { data: string }).data === data]).toEqual([
        true,
        true,
      ]);
    }
  });
});
