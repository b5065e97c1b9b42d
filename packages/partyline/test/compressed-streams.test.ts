/** Event streams and history with `Content-Encoding: gzip`. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { constants, createGunzip, gunzipSync, inflateRawSync } from "node:zlib";
import { EventSource } from "eventsource";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createPartyline, type Partyline, type PartylineOptions } from "../src/server.ts";
import { createVirtualClock } from "../src/testing/virtual-clock.ts";
import { ChunkDecoder } from "./support/chunks.ts";
import { silent } from "./support/line-rig.ts";
import { Inbox } from "./transport/probe.ts";

const LARGE = "goal! ".repeat(500);
const STREAM = { accept: "text/event-stream", "accept-encoding": "gzip" };

let server: Partyline;
let url: string;
let port: number;
const sockets: Socket[] = [];

async function start(options: PartylineOptions = { compression: true }): Promise<void> {
  server = createPartyline({ logger: silent, ...options });
  ({ url, port } = await server.listen(0));
}

beforeEach(() => start());

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await server.close();
});

async function restart(options: PartylineOptions): Promise<void> {
  await server.close();
  await start(options);
}

/** A stream as its bytes, and as what a decoder has told of them lately. */
class Line {
  readonly socket: Socket;
  readonly closed: Promise<Buffer>;
  head = "";
  readonly #chunks: Buffer[] = [];
  readonly #decoder = new ChunkDecoder();
  #lately = "";
  #wake = (): void => undefined;

  constructor(request: string) {
    this.socket = connect(port, "127.0.0.1");
    sockets.push(this.socket);
    this.socket.write(request);
    const unzip = createGunzip();
    // What the end cuts off is seen in the bytes.
    unzip
      .on("error", () => undefined)
      .on("data", (piece: Buffer) => {
        this.#lately = (this.#lately + piece.toString()).slice(-100_000);
        this.#wake();
      });
    let top = Buffer.alloc(0);
    this.socket.on("data", (piece: Buffer) => {
      if (this.head === "") {
        top = Buffer.concat([top, piece]);
        const end = top.indexOf("\r\n\r\n");
        if (end < 0) return;
        this.head = top.subarray(0, end).toString();
        piece = top.subarray(end + 4);
      }
      if (/transfer-encoding: chunked/i.test(this.head)) piece = this.#decoder.push(piece);
      this.#chunks.push(piece);
      unzip.write(piece);
    });
    this.closed = new Promise((resolve) => this.socket.on("close", () => resolve(this.body)));
  }

  get body(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** Waits until this is, or was lately, told. */
  async until(text: string): Promise<void> {
    while (!this.#lately.includes(text)) await new Promise<void>((resolve) => (this.#wake = resolve));
  }
}

const get = (path: string, more = ""): string =>
  `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\nAccept-Encoding: gzip, br\r\n${more}\r\n`;

async function open(path: string): Promise<Line> {
  const line = new Line(get(path));
  await line.until("event: continuous");
  return line;
}

/** What the stream at this path is when it has ended. */
async function wholeText(line: Line): Promise<string> {
  return gunzipSync(await line.closed).toString();
}

describe("a stream to who takes gzip", () => {
  it("is compressed, and says so [SSE-16, GATE-8]", async () => {
    for (const path of ["/channels/a", "/events?channel=a"]) {
      const { head } = await open(path);
      expect(head).toContain("\r\nContent-Encoding: gzip");
      expect(head).toContain("\r\nVary: Origin, Accept, Accept-Encoding");
    }
  });

  it("is not compressed for who does not, nor where that is not switched on [SSE-16]", async () => {
    const encoding = async (headers: Record<string, string>): Promise<string | null> => {
      const response = await fetch(`${url}/channels/a`, { headers: { ...STREAM, ...headers } });
      await response.body?.cancel();
      return response.headers.get("content-encoding");
    };
    expect(await encoding({ "accept-encoding": "gzip;q=0, br" })).toBe(null);
    await restart({});
    expect(await encoding({})).toBe(null);
  });

  it("brings each message as it comes, large ones small, the same to all whenever they came [SSE-16, SSE-17]", async () => {
    const early = await open("/channels/a");
    for (const text of ["one", `${LARGE}two`, "three"]) {
      await server.channel("a").publish(text);
      await early.until(text);
    }
    const late = await open("/channels/a");
    const before = [early.body.length, late.body.length];
    await server.channel("a").publish(`${LARGE}last`);
    await Promise.all([early.until("last"), late.until("last")]);
    const [one, other] = [early, late].map(({ body }, index) => body.subarray(before[index]));
    expect(one).toEqual(other);
    expect(one?.length).toBeLessThan(LARGE.length / 10);
  });

  it("ends as gzip does, when the server closes or drains [SSE-18]", async () => {
    for (const end of ["close", "drain"] as const) {
      const lines = [await open("/channels/a"), await open("/events?channel=a&channel=b")];
      await server.channel("a").publish(LARGE);
      for (const line of lines) await line.until(LARGE);
      await server[end]();
      const [raw = "", events = ""] = await Promise.all(lines.map(wholeText));
      for (const text of [raw, events]) {
        expect(text).toContain(LARGE);
        expect(text).toMatch(end === "drain" ? /event: drain\n[^]*\n\n$/ : /"code":"draining"[^]*\n\n$/);
      }
      await restart({ compression: true });
    }
  });

  it("says at once that it lives when it is quiet [LIVE-4, SSE-16]", async () => {
    const clock = createVirtualClock();
    await using quiet = createPartyline({
      clock,
      logger: silent,
      compression: true,
      heartbeat: { comment: 15 },
      intervals: { mark: 1e9 },
    });
    const response = await quiet.fetch(new Request("http://localhost/channels/a", { headers: STREAM }));
    expect(response.headers.get("content-encoding")).toBe("gzip");
    const unzip = createGunzip();
    const told = new Inbox<string>();
    unzip.setEncoding("utf8").on("data", (text: string) => told.push(text));
    const reader = response.body?.getReader();
    const pass = async (): Promise<void> => void unzip.write((await reader?.read())?.value);
    await pass();
    expect(await told.next()).toMatch(/^event: continuous/);
    clock.advance(20_000);
    await pass();
    expect(await told.next()).toBe(":\n\n");
    await reader?.cancel();
    const closed = quiet.close();
    clock.advance(60_000);
    await closed;
  });

  it("gives a reader who lagged all of it, with an end that holds for the whole [SSE-18]", async () => {
    const line = await open("/channels/a");
    line.socket.pause();
    // More than the buffers on the way hold, though it is compressed.
    const messages = Array.from({ length: 150 }, (_, n) => `${n}: ${randomBytes(40_000).toString("base64")}`);
    for (const text of messages) {
      await server.channel("a").publish(text);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(server.counters().lagging).toBeDefined();
    line.socket.resume();
    await server.channel("a").publish("the last one");
    await line.until("the last one");
    await server.close();
    const text = await wholeText(line);
    // Compared as a whole: to print how they differ would take minutes.
    const told = text.match(/(?<=^data: )\d+: .*$/gm) ?? [];
    expect(told.length).toBe(messages.length);
    expect(told.every((one, index) => one === messages[index])).toBe(true);
  });

  it("compresses no reply, and no two channels in one piece [SSE-17]", async () => {
    await restart({ compression: { threshold: 0 } });
    const frames = [
      `{"t":"hello","v":1}`,
      `{"t":"attach","n":1,"channel":"a"}`,
      `{"t":"attach","n":2,"channel":"b"}`,
    ].join("\n");
    // Over HTTP/1.0, where the body is in no chunks.
    const line = new Line(
      "POST /connect HTTP/1.0\r\nHost: localhost\r\nAccept: text/event-stream\r\nAccept-Encoding: gzip\r\n" +
        `Content-Type: application/x-ndjson\r\nContent-Length: ${frames.length}\r\n\r\n${frames}`,
    );
    await line.until('"n":2');
    const opened = line.body.length;
    // In one turn.
    await Promise.all([server.channel("a").publish({ LARGE }), server.channel("b").publish({ LARGE })]);
    await line.until('"t":"m","c":2,');
    const plain = line.body.toString("latin1", 0, opened);
    expect(plain).toMatch(/"t":"welcome"[^]*"t":"attached","n":1[^]*"t":"attached","n":2/);
    // A piece ends with what a flush leaves, and can be read without the other one.
    const pieces = line.body.subarray(opened).toString("latin1").split("\0\0\xff\xff").slice(0, -1);
    const read = pieces.map((piece) =>
      inflateRawSync(Buffer.from(piece, "latin1"), { finishFlush: constants.Z_SYNC_FLUSH }).toString(),
    );
    expect(read.map((text) => /"c":\d/g.exec(text)?.[0])).toEqual(['"c":1', '"c":2']);
    for (const text of read) expect(text).toContain(LARGE);
  });
});

describe("history to who takes gzip", () => {
  const ask = async (path: string, method = "GET"): Promise<{ head: Headers; body: Buffer }> => {
    const response = await fetch(`${url}${path}`, { method, headers: { "accept-encoding": "gzip" } });
    return { head: response.headers, body: Buffer.from(await response.arrayBuffer()) };
  };

  it("is compressed where it is large, also as the answer to a poll and to HEAD [HTTP-25]", async () => {
    await server.channel("a").publish("small");
    expect((await ask("/channels/a")).head.get("content-encoding")).toBe(null);
    await server.channel("a").publish(LARGE);
    for (const path of ["/channels/a", "/channels/a?since=earliest&wait=5"]) {
      const { head, body } = await ask(path);
      expect(head.get("content-encoding")).toBe("gzip");
      expect(Number(head.get("content-length"))).toBeLessThan(LARGE.length / 10);
      expect(head.get("vary")).toContain("Accept-Encoding");
      expect(JSON.parse(body.toString())).toMatchObject({ messages: [{ data: "small" }, { data: LARGE }] });
    }
    const { head, body } = await ask("/channels/a", "HEAD");
    expect([head.get("content-encoding"), body.length]).toEqual(["gzip", 0]);
    expect(
      (await fetch(`${url}/channels/a`, { headers: { "accept-encoding": "br" } })).headers.get(
        "content-encoding",
      ),
    ).toBe(null);
  });
});

it("counts the bytes before and after, of streams once for all readers, of history for each answer", async () => {
  const lines = [await open("/channels/a"), await open("/channels/a")];
  await server.channel("a").publish("small");
  await server.channel("a").publish(LARGE);
  for (const line of lines) await line.until(LARGE);
  const { before = 0, after = 0 } = server.counters().compressed ?? {};
  expect(before).toBeGreaterThan(LARGE.length);
  expect(before).toBeLessThan(LARGE.length + 200);
  expect(after).toBeLessThan(LARGE.length / 10);
  await (await fetch(`${url}/channels/a`)).text();
  expect(server.counters().compressed?.["before"]).toBeGreaterThan(2 * LARGE.length);
});

describe("clients that others wrote", () => {
  it("curl follows a compressed stream to its end", async () => {
    const curl = spawn("curl", [
      "-sSN",
      "--compressed",
      "-H",
      "accept: text/event-stream",
      `${url}/channels/a`,
    ]);
    const told = new Inbox<string>();
    curl.stdout.setEncoding("utf8").on("data", (text: string) => told.push(text));
    const done = new Promise((resolve) => curl.on("close", resolve));
    await untilTold(told, "event: continuous");
    await server.channel("a").publish("small");
    await untilTold(told, "data: small");
    await server.channel("a").publish(LARGE);
    await untilTold(told, LARGE);
    await server.close();
    expect(await done).toBe(0);
  });

  it("Python reads one, and finds it whole at its end [SSE-18]", async () => {
    const python = spawn("python3", ["-c", PYTHON, `${url}/channels/a`], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const told = new Inbox<string>();
    python.stdout.setEncoding("utf8").on("data", (text: string) => told.push(text));
    const done = new Promise((resolve) => python.on("close", resolve));
    await untilTold(told, "event: continuous");
    await server.channel("a").publish(LARGE);
    await untilTold(told, LARGE);
    await server.close();
    await untilTold(told, "whole");
    expect(await done).toBe(0);
  });

  it("the npm package eventsource gets each message", async () => {
    const source = new EventSource(`${url}/channels/a`);
    const [messages, openings] = [new Inbox<string>(), new Inbox<string>()];
    source.addEventListener("message", ({ data }) => messages.push(String(data)));
    source.addEventListener("continuous", ({ lastEventId }) => openings.push(lastEventId));
    await openings.next();
    for (const text of ["one", LARGE]) {
      await server.channel("a").publish(text);
      expect(await messages.next()).toBe(text);
    }
    source.close();
  });
});

async function untilTold(told: Inbox<string>, text: string): Promise<void> {
  for (let all = ""; !all.includes(text);) all += await told.next();
}

const PYTHON = `
import sys, urllib.request, zlib
request = urllib.request.Request(sys.argv[1], headers={"accept": "text/event-stream", "accept-encoding": "gzip"})
stream = urllib.request.urlopen(request)
unzip = zlib.decompressobj(31)
while piece := stream.read1(): print(unzip.decompress(piece).decode(), end="", flush=True)
print("whole" if unzip.eof and not unzip.unused_data else "cut off")
`;
