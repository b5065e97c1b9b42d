/** Peers that ask for much and take none of it: what they cost is bounded, and they do not stay. */
import { once } from "node:events";
import { createServer } from "node:http";
import { connect as connectHttp2, constants, type ClientHttp2Stream } from "node:http2";
import { type AddressInfo, connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import { createMemoryBroker } from "../src/brokers/memory/index.ts";
import type { Broker } from "../src/core/ports.ts";
import { createPartyline, type Partyline, type PartylineOptions } from "../src/server.ts";
import { makeCertificate } from "./support/certificate.ts";
import { silent } from "./support/line-rig.ts";
import { until } from "./support/until.ts";

const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

const MESSAGE = "x".repeat(60_000);

/** A server whose channel `a` has 1 MB, and the number of times that it was read. */
async function serve(
  options: PartylineOptions = {},
): Promise<{ server: Partyline; readonly reads: () => number }> {
  const memory = createMemoryBroker();
  let reads = 0;
  const broker: Broker = {
    ...memory,
    read(...given) {
      reads++;
      return memory.read(...given);
    },
  };
  const server = createPartyline({
    logger: silent,
    broker,
    retention: { bytes: 64 * 1024 * 1024 },
    ...options,
  });
  ends.push(() => server.close());
  for (let n = 0; n < 17; n++) await server.channel("a").publish(MESSAGE);
  reads = 0;
  return { server, reads: () => reads };
}

function hold(socket: Socket): Socket {
  socket.on("error", () => undefined).pause();
  ends.push(() => socket.destroy());
  return socket;
}

async function turns(): Promise<void> {
  for (let n = 0; n < 200; n++) await new Promise((resolve) => setImmediate(resolve));
}

const READ = "GET /channels/a?since=earliest HTTP/1.1\r\nHost: localhost\r\n\r\n";
const POLL_BODY = '{"t":"hello","v":1,"wait":1}\n{"t":"attach","n":1,"channel":"a","since":"earliest"}';
const POLL = `POST /connect HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${POLL_BODY.length}\r\n\r\n${POLL_BODY}`;

/** Bytes that came, without keeping them. */
function count(socket: Socket): { text: string } {
  const got = { text: "" };
  socket.setEncoding("latin1").on("data", (piece: string) => {
    got.text += piece.replaceAll(/x{100,}/g, "");
  });
  return got;
}

describe("requests that are pipelined", () => {
  it("are answered one by one as the peer takes the answers, all of them in order [HTTP-39]", async () => {
    const { server, reads } = await serve();
    const { port } = await server.listen(0);
    const socket = hold(connect(port, "127.0.0.1"));
    const LAST = "GET /channels/b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    socket.write(READ.repeat(100) + LAST);
    await until(() => reads() > 0);
    await turns();
    // The kernel takes some megabytes on loopback; the other answers are not made.
    expect(reads()).toBeLessThan(100);
    const got = count(socket);
    socket.resume();
    await once(socket, "close");
    expect(got.text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(101);
    expect(got.text).toMatch(/"head":null,"more":false}$/);
  });

  it("end their connection if more than 256 of them wait [HTTP-39]", async () => {
    const { server } = await serve();
    const { port } = await server.listen(0);
    const socket = hold(connect(port, "127.0.0.1"));
    const wait = "GET /channels/b?wait=50 HTTP/1.1\r\nHost: localhost\r\n\r\n";
    socket.resume().write(wait.repeat(300));
    await once(socket, "close");
    await until(() => server.connections === 0);
  });

  it("behind an event stream of a server of others end their connection if there are more than 256 [HTTP-39]", async () => {
    const { server } = await serve();
    const http = createServer();
    server.attach(http);
    await once(http.listen(0, "127.0.0.1"), "listening");
    ends.push(() => http.close());
    const socket = hold(connect((http.address() as AddressInfo).port, "127.0.0.1")).resume();
    const got = count(socket);
    socket.write("GET /channels/b HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n");
    await until(() => got.text.includes("event: continuous"));
    socket.write(READ.repeat(300));
    await once(socket, "close");
    expect(server.counters().connections).toEqual({ sse: 1 });
    await until(() => server.connections === 0);
  });

  it("keep the order of a publish and what is behind it, with a body in pieces", async () => {
    const { server } = await serve();
    const { port } = await server.listen(0);
    const socket = hold(connect(port, "127.0.0.1")).resume();
    const got = count(socket);
    const post = (length: number): string =>
      `POST /channels/b HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${length}\r\n\r\n`;
    socket.write(`${post(3)}one${post(3)}t`);
    await until(() => got.text.includes("201"));
    socket.write(`wo${READ.replace("/a", "/b").replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")}`);
    await once(socket, "close");
    expect(got.text).toMatch(/"data":"one"[^]*"data":"two"/);
  });
});

const tls = makeCertificate();
const own = async (server: Partyline): Promise<number> => (await server.listen(0)).port;
const secure = async (server: Partyline): Promise<number> =>
  (await server.listen(0, "127.0.0.1", { tls })).port;

/** A peer that has sent this, and never reads. */
type Hold = (server: Partyline, request: string) => Promise<Socket>;

const WAYS: readonly (readonly [string, Hold])[] = [
  [
    "over HTTP/1.1",
    async (server, request) => {
      const socket = hold(connect(await own(server), "127.0.0.1"));
      socket.write(request);
      return socket;
    },
  ],
  [
    "over HTTP/1.1 with TLS",
    async (server, request) => {
      const port = await secure(server);
      const socket = hold(connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false }));
      socket.write(request);
      return socket;
    },
  ],
  [
    "of a server of others",
    async (server, request) => {
      const http = createServer();
      server.attach(http);
      await once(http.listen(0, "127.0.0.1"), "listening");
      ends.push(() => http.close());
      const socket = hold(connect((http.address() as AddressInfo).port, "127.0.0.1"));
      socket.write(request);
      return socket;
    },
  ],
];

describe("a peer that takes no byte of its answers", () => {
  it.each(
    WAYS.flatMap(([way, open]) =>
      [READ, POLL].map((request) => [way, request.split(" ", 1)[0], open, request] as const),
    ),
  )("is closed after `slowReader`, %s, to %s [HTTP-40]", async (_way, _method, open, request) => {
    const { server } = await serve({ limits: { slowReader: 100, commandBurst: 1e9 } });
    const socket = await open(server, request.repeat(50));
    await until(() => server.counters().slow !== undefined);
    const got = count(socket);
    socket.resume();
    await once(socket, "close");
    // It was cut off within its answers.
    expect((got.text.match(/HTTP\/1\.1 200 OK/g) ?? []).length).toBeLessThan(50);
  });

  it("takes a place among the connections until it is closed [HTTP-40]", async () => {
    const { server } = await serve({ limits: { connections: 1, slowReader: 500 } });
    const port = await own(server);
    hold(connect(port, "127.0.0.1")).write(READ.repeat(50));
    /** The status of an event stream, which is left again. */
    const status = async (): Promise<number> => {
      const headers = { accept: "text/event-stream" };
      const answer = await server.fetch(new Request("http://localhost/channels/b", { headers }));
      await answer.body?.cancel();
      await until(() => server.connections === 0);
      return answer.status;
    };
    while ((await status()) !== 429) await turns();
    expect(server.counters().slow).toBeUndefined();
    await until(() => server.counters().slow !== undefined);
    while ((await status()) !== 200) await turns();
  });

  it("is closed on its stream of HTTP/2, whose window it never opens; others go on [HTTP-40]", async () => {
    const { server } = await serve({ limits: { slowReader: 100 } });
    const port = await secure(server);
    const session = connectHttp2(`https://127.0.0.1:${port}`, {
      rejectUnauthorized: false,
      settings: { initialWindowSize: 0 },
    });
    ends.push(() => session.destroy());
    const stream = session.request({ ":path": "/channels/a?since=earliest" });
    stream.on("error", () => undefined);
    await once(stream, "close");
    expect(stream.rstCode).toBe(constants.NGHTTP2_CANCEL);
    expect(session.destroyed).toBe(false);
  });

  it("is given no more than 8 MiB on one connection of HTTP/2, then refusals [HTTP-39]", async () => {
    const { server } = await serve();
    const port = await secure(server);
    const session = connectHttp2(`https://127.0.0.1:${port}`, {
      rejectUnauthorized: false,
      settings: { initialWindowSize: 0 },
    });
    ends.push(() => session.destroy());
    const streams: ClientHttp2Stream[] = [];
    const statuses: unknown[] = [];
    for (let n = 0; n < 12; n++) {
      const stream = session.request({ ":path": "/channels/a?since=earliest" });
      stream.on("error", () => undefined);
      const [head] = (await once(stream, "response")) as [{ ":status": number }];
      statuses.push(head[":status"]);
      streams.push(stream);
    }
    expect(statuses).toEqual([200, 200, 200, 200, 200, 200, 200, 200, 503, 503, 503, 503]);
    streams[0]?.close(constants.NGHTTP2_CANCEL);
    await turns();
    const stream = session.request({ ":path": "/channels/a?since=earliest" });
    stream.on("error", () => undefined);
    expect(((await once(stream, "response")) as [{ ":status": number }])[0][":status"]).toBe(200);
  });
});
