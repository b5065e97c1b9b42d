/** A server of our own over TLS: HTTP/2, and HTTP/1.1 on the same port. */
import { once } from "node:events";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  constants,
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type IncomingHttpHeaders,
} from "node:http2";
import type { Server } from "node:http";
import { request as httpsRequest } from "node:https";
import { type AddressInfo, connect } from "node:net";
import type { Readable } from "node:stream";
import { connect as connectTls } from "node:tls";
import { createGunzip } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createPartyline, type Partyline, type PartylineOptions } from "../src/server.ts";
import { makeCertificate } from "./support/certificate.ts";
import { createHttp2Fetch, type Http2Fetch } from "./support/http2-fetch.ts";
import { silent } from "./support/line-rig.ts";
import { until } from "./support/until.ts";
import { openRawWebSocket } from "./transport/websocket-probes.ts";

const tls = makeCertificate();
const STREAM = { accept: "text/event-stream" };

let server: Partyline;
let http2: Http2Fetch;
let url: string;
let port: number;

async function start(options: PartylineOptions = {}): Promise<void> {
  server = createPartyline({ logger: silent, ...options });
  ({ url, port } = await server.listen(0, "127.0.0.1", { tls }));
}

beforeEach(async () => {
  http2 = createHttp2Fetch();
  await start();
});

afterEach(async () => {
  await http2[Symbol.asyncDispose]();
  await server.close();
});

async function restart(options: PartylineOptions): Promise<void> {
  await server.close();
  await start(options);
}

const session = (): ClientHttp2Session => http2.session(url);

/** The head of the answer to a request without a body. */
async function ask(headers: Record<string, string>): Promise<IncomingHttpHeaders & { ":status"?: number }> {
  const stream = session().request({ ":path": "/channels/a", ...headers });
  stream.resume();
  const [answer] = (await once(stream, "response")) as [IncomingHttpHeaders];
  return answer;
}

/** An event stream that has begun. */
async function follow(channel = "a"): Promise<ClientHttp2Stream> {
  const stream = session().request({ ":path": `/channels/${channel}`, ...STREAM });
  await once(stream, "response");
  return stream;
}

/** Reads until the text is there. */
function heard(stream: Readable, text: string): Promise<void> {
  return new Promise((resolve) => {
    let all = "";
    stream.setEncoding("utf8").on("data", (piece: string) => {
      all += piece;
      if (all.includes(text)) resolve();
    });
  });
}

/** A publish that is reset before its end, frame by frame: Node's client would end it first. */
async function postHalf(code: number): Promise<void> {
  const socket = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false, ALPNProtocols: ["h2"] });
  await once(socket, "secureConnect");
  const literal = (index: number, value: string): Buffer =>
    Buffer.from([index, value.length, ...Buffer.from(value)]);
  const head = Buffer.concat([Buffer.from([0x83, 0x87]), literal(4, "/channels/a"), literal(1, "localhost")]);
  socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  socket.write(Buffer.concat([frame(4, 0, 0, ""), frame(1, 4, 1, head), frame(0, 0, 1, "half")]));
  socket.write(Buffer.concat([frame(3, 0, 1, Buffer.from([0, 0, 0, code])), frame(6, 0, 0, "ping 123")]));
  // Its answer comes when everything before it was read.
  await new Promise<void>((resolve) =>
    socket.on("data", (bytes: Buffer) => void (bytes.includes("ping 123") && resolve())),
  );
  socket.destroy();
}

function frame(type: number, flags: number, stream: number, body: string | Buffer): Buffer {
  return Buffer.from([0, 0, body.length, type, flags, 0, 0, 0, stream, ...Buffer.from(body)]);
}

async function kept(): Promise<unknown[]> {
  const { messages } = await server.channel("a").history({ since: "earliest" });
  return messages.map(({ data }) => data);
}

describe("a server with TLS", () => {
  it("speaks HTTP/2 to who asks for it, and HTTP/1.1 with WebSockets to others, on one port [HTTP-22]", async () => {
    expect((await ask({}))[":status"]).toBe(200);
    expect(session().alpnProtocol).toBe("h2");
    const plain = await new Promise((resolve, reject) => {
      const request = httpsRequest(`${url}/channels/a`, { rejectUnauthorized: false, agent: false });
      request.on("response", ({ httpVersion, statusCode }) => resolve([httpVersion, statusCode]));
      request.on("error", reject).end();
    });
    expect(plain).toEqual(["1.1", 200]);
    await using webSocket = await openRawWebSocket({ url, channel: "a" });
    await server.channel("a").publish("x");
    expect(await webSocket.next()).toMatchObject({ data: "x" });
  });

  it("takes :authority for the host, and tells it from a foreign one [HTTP-22]", async () => {
    const own = `127.0.0.1:${port}`;
    expect((await ask({}))[":status"]).toBe(200);
    expect((await ask({ ":authority": "evil.example" }))[":status"]).toBe(421);
    expect((await ask({ ":authority": "evil.example", host: own }))[":status"]).toBe(421);
    expect((await ask({ origin: `https://${own}` }))[":status"]).toBe(200);
    expect((await ask({ origin: "https://evil.example" }))[":status"]).toBe(403);
  });

  it("answers without headers of HTTP/1.1's connections [HTTP-22]", async () => {
    const answers = await Promise.all([
      ask({}),
      ask(STREAM),
      ask({ ":method": "HEAD" }),
      ask({ ":method": "OPTIONS" }),
      ask({ ":method": "PUT" }),
      ask({ ":path": "/nothing" }),
    ]);
    expect(answers.map((answer) => answer[":status"])).toEqual([200, 200, 200, 204, 405, 404]);
    for (const answer of answers)
      expect(Object.keys(answer)).not.toContain(expect.stringMatching(/^(connection|keep-alive|transfer)/));
  });

  it("lets one connection have more streams than a browser takes for granted", async () => {
    await ask({});
    expect(session().remoteSettings.maxConcurrentStreams).toBe(128);
  });

  it("stores no message whose sender resets the stream in the middle of it [HTTP-23]", async () => {
    for (const code of [constants.NGHTTP2_CANCEL, constants.NGHTTP2_NO_ERROR]) await postHalf(code);
    await server.channel("a").publish("whole");
    expect(await kept()).toEqual(["whole"]);
  });

  it("refuses a body that is too large, announced or not, and goes on with the connection", async () => {
    const length = 100_000;
    for (const announced of [{}, { "content-length": String(length) }]) {
      const stream = session().request({ ":path": "/channels/a", ":method": "POST", ...announced });
      stream.on("error", () => undefined).resume();
      stream.end(Buffer.alloc(length));
      const [answer] = (await once(stream, "response")) as [IncomingHttpHeaders];
      expect(answer[":status"]).toBe(413);
    }
    expect((await ask({}))[":status"]).toBe(200);
  });

  it("asks for a body that waits to be asked for", async () => {
    const stream = session().request({ ":path": "/channels/a", ":method": "POST", expect: "100-continue" });
    await once(stream, "continue");
    stream.end("asked for");
    const [answer] = (await once(stream, "response")) as [IncomingHttpHeaders];
    expect([answer[":status"], await kept()]).toEqual([201, ["asked for"]]);
  });

  it("lets a stream that is not read hold up no other of its connection [HTTP-24]", async () => {
    await restart({ retention: { bytes: 64 * 1024 * 1024 } });
    const unread = await follow();
    unread.pause();
    while (server.counters().lagging === undefined) {
      await server.channel("a").publish("x".repeat(60_000));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const read = await follow("b");
    await server.channel("b").publish("hello");
    await heard(read, "data: hello\n");
    expect((await ask({}))[":status"]).toBe(200);
  });

  it("compresses a stream for who takes that, to an end that is valid [HTTP-22, SSE-18]", async () => {
    await restart({ compression: true });
    const stream = session().request({ ":path": "/channels/a", ...STREAM, "accept-encoding": "gzip" });
    const [head] = (await once(stream, "response")) as [IncomingHttpHeaders];
    expect(head["content-encoding"]).toBe("gzip");
    const unzip = stream.pipe(createGunzip());
    const told = heard(unzip, "goal! goal!");
    await server.channel("a").publish("goal! ".repeat(500));
    await told;
    const ended = once(unzip, "end");
    await server.close();
    // Rejects where the end is cut off.
    await ended;
  });

  it("gives back what a stream took when it is reset, and when its connection is lost", async () => {
    const reset = await follow();
    await follow();
    expect(server.connections).toBe(2);
    reset.close(constants.NGHTTP2_CANCEL);
    await until(() => server.connections === 1);
    session().destroy();
    await until(() => server.connections === 0);
    expect(server.counters().closed).toEqual({ sse: 2 });
  });

  it("says what is wrong with a certificate or a key", async () => {
    const other = makeCertificate();
    const wrong = createPartyline({ logger: silent });
    const listen = (cert: string, key: string): Promise<unknown> =>
      wrong.listen(0, "127.0.0.1", { tls: { cert, key } });
    await expect(listen("nonsense", tls.key)).rejects.toThrow("`tls.cert` is no certificate in PEM.");
    await expect(listen(tls.cert, tls.cert)).rejects.toThrow("`tls.key` is no private key in PEM");
    await expect(listen(tls.cert, other.key)).rejects.toThrow("`tls.key` is not the key of `tls.cert`.");
    await wrong.close();
  });
});

describe("a server with TLS that drains", () => {
  it("lets go of a connection with the next answer on it, and of its streams one by one", async () => {
    const stream = await follow();
    const ended = once(stream.resume(), "end");
    const goaway = once(session(), "goaway");
    const drained = server.drain({ within: 1_000 });
    await ask({});
    await goaway;
    await ended;
    await drained;
  });
});

describe("close() of a server with TLS", () => {
  it("tells each stream, and ends with idle connections", async () => {
    const stream = await follow();
    const told = heard(stream, '"code":"draining"');
    const ended = once(stream, "close");
    await server.close();
    await told;
    await ended;
    expect(server.connections).toBe(0);
  });

  it("ends with streams that are not read, handshakes that never began, and bodies that do not end", async () => {
    await restart({ retention: { bytes: 64 * 1024 * 1024 } });
    const unread = await follow();
    unread.on("error", () => undefined).pause();
    while (server.counters().lagging === undefined) {
      await server.channel("a").publish("x".repeat(60_000));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const body = session().request({ ":path": "/channels/a", ":method": "POST" });
    body.on("error", () => undefined).write("half");
    const silentPeer = connect(port, "127.0.0.1");
    silentPeer.on("error", () => undefined);
    await once(silentPeer, "connect");
    await server.close();
    expect(server.connections).toBe(0);
    silentPeer.destroy();
  });
});

describe("an HTTP/2 server of others", () => {
  it.each(["attached", "by its handler"])("carries partyline, %s", async (way) => {
    const guest = createPartyline({ logger: silent });
    const host = createSecureServer({ ...tls, allowHTTP1: true });
    if (way === "attached") {
      host.on("request", (_request, response) => response.end("the application's own"));
      guest.attach(host);
    } else
      host.on("request", (request, response) =>
        guest.handler(request, response, () => response.end("the application's own")),
      );
    host.listen(0, "127.0.0.1");
    await once(host, "listening");
    url = `https://127.0.0.1:${(host.address() as AddressInfo).port}`;
    const [first, second] = [await follow(), await follow()];
    const posted = await http2.fetch(`${url}/channels/a`, { method: "POST", body: "hello" });
    expect(posted.status).toBe(201);
    await Promise.all([heard(first, "data: hello\n"), heard(second, "data: hello\n")]);
    expect(await (await http2.fetch(`${url}/own`)).text()).toBe("the application's own");
    await guest.close();
    session().destroy();
    await new Promise<void>((resolve) => host.close(() => resolve()));
  });

  it("carries partyline without TLS too, for a proxy that speaks HTTP/2 to it", async () => {
    const guest = createPartyline({ logger: silent });
    // As `serve()` of @hono/node-server returns its server: one of three kinds.
    const host: Server | Http2Server | Http2SecureServer = createServer((_request, response) =>
      response.end("the application's own"),
    );
    guest.attach(host);
    host.listen(0, "127.0.0.1");
    await once(host, "listening");
    url = `http://127.0.0.1:${(host.address() as AddressInfo).port}`;
    const reader = await follow();
    const posted = await http2.fetch(`${url}/channels/a`, { method: "POST", body: "hello" });
    expect(posted.status).toBe(201);
    await heard(reader, "data: hello\n");
    expect(await (await http2.fetch(`${url}/own`)).text()).toBe("the application's own");
    await guest.close();
    session().destroy();
    await new Promise<void>((resolve) => host.close(() => resolve()));
  });
});
