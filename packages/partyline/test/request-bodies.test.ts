/** Bodies of requests: the memory that they may hold, how slowly they may arrive, and bodies that other code has read. */
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import express, { type RequestHandler } from "express";
import { afterEach, describe, expect, it } from "vitest";
import type { Logger } from "../src/core/ports.ts";
import { createPartyline, type Partyline, type PartylineOptions } from "../src/server.ts";
import { createVirtualClock } from "../src/testing/virtual-clock.ts";
import { makeCertificate } from "./support/certificate.ts";
import { silent } from "./support/line-rig.ts";
import { until } from "./support/until.ts";
import { deferred } from "./transport/probe.ts";

const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

function serve(options: PartylineOptions = {}): Partyline {
  const server = createPartyline({ logger: silent, ...options });
  ends.push(() => server.close());
  return server;
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

function memory(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** A body in this many equal pieces, which does not end. */
type SendPieces = (server: Partyline, pieces: number, piece: string) => Promise<void>;

const tls = makeCertificate();

/** A socket that is closed at the end of the test. */
function open(port: number): Socket {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  ends.push(() => socket.destroy());
  return socket;
}

async function write(socket: Socket, bytes: string): Promise<void> {
  await new Promise((resolve) => socket.write(bytes, resolve));
}

/** Resolves when the server has read what was sent to it so far, as far as the kernel can tell. */
const READ_TURNS = 50;
async function turns(): Promise<void> {
  for (let n = 0; n < READ_TURNS; n++) await new Promise((resolve) => setImmediate(resolve));
}

/** Pieces in one write. */
const SOME = 1_000;

/** A frame of HTTP/2. */
function frame(type: number, flags: number, stream: number, body: string | Buffer): Buffer {
  return Buffer.from([0, 0, body.length, type, flags, 0, 0, 0, stream, ...Buffer.from(body)]);
}

const WAYS: readonly (readonly [string, SendPieces])[] = [
  [
    "over HTTP/1.1",
    async (server, pieces, piece) => {
      const { port } = await server.listen(0);
      const socket = open(port);
      await write(socket, "POST /connect HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
      const some = `${piece.length.toString(16)}\r\n${piece}\r\n`.repeat(SOME);
      for (let sent = 0; sent < pieces; sent += SOME) await write(socket, some);
      await turns();
    },
  ],
  [
    "over HTTP/2",
    async (server, pieces, piece) => {
      const { port } = await server.listen(0, "127.0.0.1", { tls });
      const socket = connectTls({
        port,
        host: "127.0.0.1",
        rejectUnauthorized: false,
        ALPNProtocols: ["h2"],
      });
      ends.push(() => socket.destroy());
      await once(socket, "secureConnect");
      socket.resume();
      socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
      const literal = (index: number, value: string): Buffer =>
        Buffer.from([index, value.length, ...Buffer.from(value)]);
      const head = Buffer.concat([
        Buffer.from([0x83, 0x87]),
        literal(4, "/connect"),
        literal(1, "localhost"),
      ]);
      socket.write(Buffer.concat([frame(4, 0, 0, ""), frame(1, 4, 1, head)]));
      const some = Buffer.concat(Array.from({ length: SOME }, () => frame(0, 0, 1, piece)));
      for (let sent = 0; sent < pieces; sent += SOME) {
        await new Promise((resolve) => socket.write(some, resolve));
        await turns();
      }
    },
  ],
  [
    "of a fetch handler",
    async (server, pieces, piece) => {
      const bytes = Buffer.from(piece);
      const all = deferred<void>();
      let sent = 0;
      const body = new ReadableStream<Uint8Array>({
        async pull(controller) {
          if (sent++ < pieces) return controller.enqueue(Uint8Array.from(bytes));
          all.resolve();
          // The reference keeps the whole chain from being collected.
          await new Promise<void>((resolve) => ends.push(resolve));
        },
      });
      const init = { method: "POST", body, duplex: "half" } as RequestInit;
      void server.fetch(new Request("http://localhost/connect", init));
      await all.promise;
    },
  ],
];

describe("a body in pieces of 16 bytes", () => {
  it.each(WAYS)("holds a small multiple of its length, not an object per piece, %s", async (_way, send) => {
    const server = serve();
    const before = memory();
    await send(server, 24_000, "x".repeat(16));
    // 24 000 pieces kept one by one hold 3.5 MB and more.
    expect(memory() - before).toBeLessThan(2.5 * 1024 * 1024);
  });
});

const CONNECT = "POST /connect HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n";

/** All that comes on a socket. */
function textOf(socket: Socket): { text: string; ended: boolean } {
  const got = { text: "", ended: false };
  socket.setEncoding("utf8").on("data", (piece: string) => void (got.text += piece));
  socket.on("close", () => void (got.ended = true));
  return got;
}

describe("bodies of senders that have not said hello", () => {
  it("hold at most `unauthenticatedBytes` together; one more is `overloaded`, and released memory is free again [HTTP-36]", async () => {
    const server = serve({ limits: { unauthenticatedBytes: 100_000 } });
    const { port } = await server.listen(0);
    const first = open(port);
    await write(first, CONNECT + "x".repeat(60_000));
    const refused = open(port);
    const answer = textOf(refused);
    await write(refused, CONNECT + "x".repeat(60_000));
    await until(() => answer.text.includes("\r\n\r\n{"));
    expect(answer.text).toMatch(/^HTTP\/1\.1 503 [^]*"code":"overloaded"/);
    first.destroy();
    const late = open(port);
    const welcome = textOf(late);
    const hello = `{"t":"hello","v":1}\n${" ".repeat(60_000)}`;
    await until(() => server.counters().refused?.["bad-frame"] === 1);
    await write(late, `${CONNECT.replace("1000000", String(hello.length))}${hello}`);
    await until(() => welcome.text.includes('"welcome"'));
  });

  it("count while an authenticator decides [HTTP-36]", async () => {
    const decided = deferred<void>();
    const server = serve({
      limits: { unauthenticatedBytes: 100_000 },
      authenticate: () => decided.promise.then(() => ({ grants: { allows: () => true } })),
    });
    const body = `{"t":"hello","v":1}\n${" ".repeat(60_000)}`;
    const ask = (): Promise<Response> =>
      server.fetch(new Request("http://localhost/connect", { method: "POST", body }));
    const first = ask();
    await turns();
    expect((await ask()).status).toBe(503);
    decided.resolve();
    expect((await first).status).toBe(200);
    expect((await ask()).status).toBe(200);
  });
});

describe("a body that arrives slowly", () => {
  /** Sends `bytes` each second of virtual time until there is an answer. @returns The answer, and the seconds. */
  async function trickle(bytes: number, path: string): Promise<{ text: string; seconds: number }> {
    const clock = createVirtualClock();
    const server = serve({ clock });
    const { port } = await server.listen(0);
    const socket = open(port);
    const got = textOf(socket);
    const length = 64_000;
    await write(socket, `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${length}\r\n\r\n`);
    let seconds = 0;
    for (let sent = 0; sent < length && got.text === ""; seconds++) {
      await write(socket, "x".repeat(Math.min(bytes, length - sent)));
      sent += bytes;
      await turns();
      clock.advance(1_000);
      await turns();
    }
    await until(() => got.text.includes("\r\n\r\n"));
    return { text: got.text, seconds };
  }

  it("of 64 000 bytes at 1.5 KB/s is stored [HTTP-37]", async () => {
    const { text, seconds } = await trickle(1_500, "/channels/a");
    expect(text).toMatch(/^HTTP\/1\.1 201 /);
    expect(seconds).toBe(43);
  });

  it.each(["/channels/a", "/connect"])(
    "at 1 byte/s is refused `body-timeout` within 20 s, and the connection ends, on %s [HTTP-37]",
    async (path) => {
      const { text, seconds } = await trickle(1, path);
      expect(text).toMatch(/^HTTP\/1\.1 408 [^]*Connection: close[^]*"code":"body-timeout"/i);
      expect(seconds).toBeLessThanOrEqual(20);
    },
  );
});

/** An application whose middleware runs before partyline. */
async function application(
  server: Partyline,
  ...steps: RequestHandler[]
): Promise<(path: string, init: RequestInit) => Promise<Response>> {
  const app = express();
  for (const step of steps) app.use(step);
  app.use(server.handler);
  const http = createServer(app);
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  ends.push(() => http.close());
  const { port } = http.address() as AddressInfo;
  return (path, init) => fetch(`http://127.0.0.1:${port}${path}`, init);
}

const later: RequestHandler = (_request, _response, next) => void setImmediate(() => next());
const JSON_MESSAGE = { method: "POST", body: '{ "a":1.0 }', headers: { "content-type": "application/json" } };

describe("a body that middleware has read", () => {
  it.each([
    ["as text", [express.text({ type: "*/*" })]],
    ["as bytes", [express.raw({ type: "*/*" })]],
    ["as bytes, and an asynchronous step", [express.raw({ type: "*/*" }), later]],
    [
      "as JSON with the exact bytes in `rawBody`",
      [
        express.json({
          verify: (request, _response, bytes) => void ((request as { rawBody?: Buffer }).rawBody = bytes),
        }),
        later,
      ],
    ],
  ] as const)("%s is stored byte by byte [HTTP-38]", async (_how, steps) => {
    const server = serve();
    const ask = await application(server, ...steps);
    expect((await ask("/channels/a", JSON_MESSAGE)).status).toBe(201);
    const stored = await server.fetch(new Request("http://localhost/channels/a"));
    expect(await stored.text()).toContain('"data":{ "a":1.0 }');
  });

  it.each([
    ["as JSON", [express.json()]],
    ["as JSON, and an asynchronous step", [express.json(), later]],
    [
      "in part, by a step that still reads",
      [
        ((request, _response, next) =>
          void request.once("data", () => setImmediate(() => next()))) as RequestHandler,
      ],
    ],
  ] as const)(
    "%s is refused at once, with the cause and the remedy, and logged once [HTTP-38]",
    async (_how, steps) => {
      const errors: unknown[] = [];
      const logger: Logger = { ...silent, error: (...error) => errors.push(error) };
      const ask = await application(serve({ logger }), ...steps);
      for (const path of ["/channels/a", "/connect"]) {
        const answer = await ask(path, JSON_MESSAGE);
        expect([answer.status, await answer.json()]).toMatchObject([
          500,
          { code: "misconfigured", remedy: expect.stringContaining("before body parsers") as string },
        ]);
      }
      expect(errors).toHaveLength(1);
    },
  );

  it("and that was empty is empty", async () => {
    const drain: RequestHandler = (request, _response, next) => void request.resume().on("end", () => next());
    const ask = await application(serve(), drain);
    expect((await ask("/channels/a", { method: "POST" })).status).toBe(201);
  });

  it("is still bounded by the size of a message", async () => {
    const ask = await application(serve(), express.text({ type: "*/*", limit: "1mb" }));
    expect((await ask("/channels/a", { method: "POST", body: "x".repeat(65_537) })).status).toBe(413);
  });

  it("of a `Request` that was used is refused with the cause [HTTP-38]", async () => {
    const request = new Request("http://localhost/channels/a", JSON_MESSAGE);
    await request.text();
    const answer = await serve().fetch(request);
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([500, "misconfigured"]);
  });
});

describe("a request whose peer has gone during an earlier step", () => {
  it("ends, and nothing is stored", async () => {
    const server = serve();
    const gone = deferred<void>();
    const http = createServer((request: IncomingMessage, response) => {
      request.on("close", () => {
        server.handler(request, response);
        gone.resolve();
      });
    });
    await once(http.listen(0, "127.0.0.1"), "listening");
    ends.push(() => http.close());
    const socket = connect((http.address() as AddressInfo).port, "127.0.0.1");
    await write(socket, "POST /channels/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf");
    socket.destroy();
    await gone.promise;
    expect(server.counters().refused).toEqual({ "bad-frame": 1 });
    expect(server.counters().published).toBeUndefined();
  });
});
