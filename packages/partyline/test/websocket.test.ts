import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { WebSocket } from "ws";
import { createMemoryBroker } from "../src/brokers/memory/index.ts";
import type { Broker } from "../src/core/ports.ts";
import { createPartyline, type Partyline, type PartylineOptions } from "../src/server.ts";
import { clientFrame, openBareWebSocket } from "./transport/bare-websocket.ts";
import { Inbox } from "./transport/probe.ts";
import { openSocket } from "./transport/websocket-probes.ts";

let server: Partyline;
let url: string;
let port: number;

async function start(options: PartylineOptions = {}): Promise<void> {
  server = createPartyline(options);
  ({ url, port } = await server.listen(0));
}

beforeEach(() => start());
afterEach(() => server.close());

async function restart(options: PartylineOptions): Promise<void> {
  await server.close();
  await start(options);
}

interface Frame {
  readonly text: string;
  readonly isBinary: boolean;
}

async function open(
  path: string,
  protocols: string[] = [],
): Promise<{ socket: WebSocket; frames: Inbox<Frame> }> {
  const frames = new Inbox<Frame>();
  const socket = await openSocket(`${url}${path}`, protocols, {}, (opening) =>
    opening.on("message", (data: Buffer, isBinary) => frames.push({ text: data.toString(), isBinary })),
  );
  return { socket, frames };
}

function closeOf(socket: WebSocket): Promise<{ code: number; reason: string }> {
  return new Promise((resolve) =>
    socket.once("close", (code, reason) => resolve({ code, reason: reason.toString() })),
  );
}

function closeCode(answer: Buffer): number {
  const at = answer.lastIndexOf(0x88);
  return answer.readUInt16BE(at + 2);
}

describe("a raw WebSocket", () => {
  it("is an echo for who publishes to it: type and order kept [WS-1, WS-2]", async () => {
    const { socket, frames } = await open("/channels/echo");
    const sent = ["text", '{"json":1}', "", "ü😀"];
    for (const text of sent) socket.send(text);
    socket.send(Buffer.from([0, 255]));
    for (const text of sent) expect(await frames.next()).toEqual({ text, isBinary: false });
    expect((await frames.next()).isBinary).toBe(true);
  });

  it("echoes what came right before the close, in the same segment, and then answers the close [WS-6]", async () => {
    const { socket, closed } = await openBareWebSocket(port, "/channels/echo");
    socket.write(Buffer.concat([clientFrame(1, "last words"), clientFrame(8, Buffer.of(0x03, 0xe8))]));
    const answer = await closed;
    expect(answer).toEqual(
      Buffer.concat([Buffer.of(0x81, 10), Buffer.from("last words"), Buffer.of(0x88, 2, 0x03, 0xe8)]),
    );
  });

  it("sends nothing after a close frame [WS-6]", async () => {
    const { socket, closed } = await openBareWebSocket(port, "/channels/echo");
    socket.write(clientFrame(8, Buffer.of(0x03, 0xe8)));
    for (let n = 0; n < 50; n++) {
      await server.channel("echo").publish("late");
      await new Promise((resolve) => setImmediate(resolve));
    }
    const answer = await closed;
    expect(answer.subarray(-4)).toEqual(Buffer.of(0x88, 2, 0x03, 0xe8));
  });

  it.each([
    ["text that is not UTF-8", clientFrame(1, Buffer.of(0xff, 0xfe)), 1007],
    ["an unmasked frame", Buffer.of(0x81, 1, 0x61), 1002],
    ["a reserved opcode", clientFrame(3, "x"), 1002],
    ["a reserved bit", Buffer.concat([Buffer.of(0xc1), clientFrame(1, "x").subarray(1)]), 1002],
    [
      "a frame above the limit",
      Buffer.concat([Buffer.of(0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0)]),
      1009,
    ],
  ])("is closed for %s with the code of the RFC [WS-7, WS-8]", async (_what, bytes, code) => {
    const { socket, closed } = await openBareWebSocket(port, "/channels/echo");
    socket.write(bytes);
    expect(closeCode(await closed)).toBe(code);
  });

  it("is closed for too many fragments [WS-7]", async () => {
    await restart({ limits: { fragments: 4 } });
    const { socket, closed } = await openBareWebSocket(port, "/channels/echo");
    socket.write(
      Buffer.concat([clientFrame(1, "a", false), ...[1, 2, 3, 4].map(() => clientFrame(0, "b", false))]),
    );
    expect(closeCode(await closed)).toBe(1008);
  });

  it("is closed where its publish is refused, with the code of the refusal [WS-4]", async () => {
    await restart({ channels: { "**": { publish: "server" } } });
    const { socket } = await open("/channels/a");
    const closed = closeOf(socket);
    socket.send("x");
    expect(await closed).toMatchObject({
      code: 4403,
      reason: expect.stringMatching(/^forbidden: /) as string,
    });
  });

  it("is closed with 4503 where it is not known whether its publish was stored [WS-4]", async () => {
    const broker: Broker = {
      ...bind(createMemoryBroker()),
      append: () => Promise.reject(new Error("lost the store")),
    };
    await restart({ broker, logger: silent });
    const { socket } = await open("/channels/a");
    const closed = closeOf(socket);
    socket.send("x");
    expect(await closed).toMatchObject({
      code: 4503,
      reason: expect.stringMatching(/^uncertain: /) as string,
    });
  });

  it("is read no further while a publish is being stored, and keeps its order [WS-5]", async () => {
    const memory = createMemoryBroker();
    let under = 0;
    let most = 0;
    const broker: Broker = {
      ...bind(memory),
      async append(channel, messages) {
        most = Math.max(most, ++under, messages.length);
        await new Promise((resolve) => setImmediate(resolve));
        under--;
        return memory.append(channel, messages);
      },
    };
    await restart({ broker });
    const { socket, frames } = await open("/channels/a");
    for (let n = 0; n < 100; n++) socket.send(String(n));
    for (let n = 0; n < 100; n++) expect((await frames.next()).text).toBe(String(n));
    expect(most).toBe(1);
  });

  it("is read no further over the rate, and loses nothing [WS-5]", async () => {
    await restart({ limits: { commandsPerSecond: 2_000, commandBurst: 10 } });
    const { socket, frames } = await open("/channels/a");
    for (let n = 0; n < 200; n++) socket.send(String(n));
    for (let n = 0; n < 200; n++) expect((await frames.next()).text).toBe(String(n));
  });

  it("is refused before the handshake, as a problem [HTTP-2]", async () => {
    await expect(open("/channels/a//b")).rejects.toMatchObject({ code: "bad-name" });
    await expect(open("/nothing")).rejects.toMatchObject({ code: "unknown-path" });
    await expect(open("/events?channel=a")).rejects.toMatchObject({ code: "wrong-method" });
    const foreign = openSocket(`${url}/channels/a`, [], { origin: "http://evil.example" });
    await expect(foreign).rejects.toMatchObject({ code: "foreign-origin" });
  });

  const HEADERS = "Host: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
  const KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

  it.each([
    {
      fault: "no key",
      head: `GET /channels/a HTTP/1.1\r\n${HEADERS}`,
      code: /^HTTP\/1\.1 400 [^]*"bad-frame"/,
    },
    {
      fault: "another method",
      head: `POST /channels/a HTTP/1.1\r\n${HEADERS}${KEY}Content-Length: 6\r\n`,
      code: /^HTTP\/1\.1 405 [^]*"wrong-method"/,
    },
  ])("with a handshake that has $fault is refused with a problem", async ({ head, code }) => {
    const response = await new Promise<string>((resolve) => {
      const socket = connect(port, "127.0.0.1");
      socket.end(`${head}\r\n`);
      let text = "";
      socket.setEncoding("utf8").on("data", (piece: string) => (text += piece));
      socket.on("close", () => resolve(text));
    });
    expect(response).toMatch(code);
  });

  it("that takes nothing lags and gets all of it when it reads again, what it said meanwhile too [ATT-5]", async () => {
    await restart({ retention: { bytes: 64 * 1024 * 1024 } });
    const { socket } = await open("/channels/a");
    socket.pause();
    const data = Buffer.alloc(60_000, "x");
    for (let n = 0; n < 200; n++) {
      data.writeUInt32BE(n);
      await server.channel("a").publish(data);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(server.counters().lagging?.[""]).toBe(1);
    data.writeUInt32BE(200);
    socket.send(data);
    socket.ping();
    while (server.counters().published?.[""] !== 201) await new Promise((resolve) => setImmediate(resolve));
    const numbers: number[] = [];
    socket
      .removeAllListeners("message")
      .on("message", (message: Buffer) => numbers.push(message.readUInt32BE()));
    socket.resume();
    while (numbers.length < 201) await new Promise((resolve) => socket.once("message", resolve));
    expect(numbers).toEqual(Array.from({ length: 201 }, (_value, n) => n));
  });
});

describe("/connect over WebSocket", () => {
  it("chooses its subprotocol, goes without one, and refuses others [WS-9]", async () => {
    expect((await open("/connect", ["other", "partyline.v1"])).socket.protocol).toBe("partyline.v1");
    expect((await open("/connect")).socket.protocol).toBe("");
    await expect(open("/connect", ["other"])).rejects.toMatchObject({ code: "version" });
  });

  it("takes several lines in a frame, and answers each command once [WS-10, WIRE-1, WIRE-7]", async () => {
    const { socket, frames } = await open("/connect");
    socket.send('{"t":"hello","v":1,"new":true}\n{"t":"ping","n":1}\n{"t":"detach","n":2,"channel":"a"}\n');
    const lines = (await frames.next()).text.split("\n").map((line) => JSON.parse(line) as object);
    expect(lines).toMatchObject([
      { t: "welcome", v: 1 },
      { t: "pong", n: 1 },
      { t: "result", n: 2 },
    ]);
  });

  it("is closed for a binary frame [WS-10]", async () => {
    const { socket } = await open("/connect");
    const closed = closeOf(socket);
    socket.send(Buffer.from("x"));
    expect((await closed).code).toBe(1003);
  });

  it("answers a line that is no frame, and goes on [WIRE-2, WIRE-3]", async () => {
    const { socket, frames } = await open("/connect");
    socket.send('{"t":"hello","v":1}\nnonsense\n{"t":"fly","n":7}\n{"t":"attach","n":8}\n{"t":"ping","n":9}');
    const lines = (await frames.next()).text.split("\n").slice(1);
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      { t: "error", code: "bad-frame" },
      { t: "error", code: "bad-frame", n: 7 },
      { t: "error", code: "bad-frame", n: 8 },
      { t: "pong", n: 9 },
    ]);
  });

  it.each([
    ["what is no hello", '{"t":"ping","n":1}', 4400],
    ["another version", '{"t":"hello","v":2}', 4426],
    ["more than 16 KiB", `{"t":"hello","v":1,"token":"${"x".repeat(16 * 1024)}"}`, 4413],
  ])("is closed for %s first, told why in a frame [WIRE-5, WIRE-6, WS-11]", async (_what, line, code) => {
    const { socket, frames } = await open("/connect");
    const closed = closeOf(socket);
    socket.send(line);
    expect((await closed).code).toBe(code);
    expect(JSON.parse((await frames.next()).text)).toMatchObject({ t: "error" });
  });

  it("takes a token of 12 KiB in its first frame, and larger frames after the welcome [WS-11]", async () => {
    const { socket, frames } = await open("/connect");
    socket.send(`{"t":"hello","v":1,"token":"${"x".repeat(12 * 1024)}"}`);
    expect((await frames.next()).text).toContain('"welcome"');
    const data = "x".repeat(60_000);
    socket.send(`{"t":"publish","n":1,"channel":"a","id":"x","at":1,"data":"${data}"}`);
    expect((await frames.next()).text).toContain('"t":"result","n":1');
  });

  it.each([
    ["whole", true],
    ["in fragments", false],
  ])("is closed for a frame above 16 KiB, %s, before its payload has come [WS-11]", async (_how, fin) => {
    const { socket, closed } = await openBareWebSocket(port, "/connect");
    const part = clientFrame(1, "x".repeat(10_000), false);
    const header = Buffer.from([fin ? 0x81 : 0x80, 0xfe, 0x40, 0x01]);
    socket.write(fin ? header : Buffer.concat([part, header]));
    // The mask and the payload never come.
    socket.write(Buffer.alloc(6));
    socket.once("data", () => setImmediate(() => socket.end()));
    expect(closeCode(await closed)).toBe(4413);
  });

  it("is closed where no hello comes in time [WS-11]", async () => {
    await restart({ limits: { helloTimeout: 1 } });
    const { socket } = await open("/connect");
    expect(await closeOf(socket)).toMatchObject({ code: 4401 });
  });

  it("numbers a channel alike for all its connections [WIRE-9]", async () => {
    const numbers: unknown[] = [];
    for (const first of ["x", "y"]) {
      const { socket, frames } = await open("/connect");
      socket.send(
        `{"t":"hello","v":1}\n{"t":"attach","n":1,"channel":"${first}"}\n{"t":"attach","n":2,"channel":"a"}`,
      );
      const attached = (await frames.next()).text.split("\n").at(-1) ?? "";
      numbers.push((JSON.parse(attached) as { c: number }).c);
    }
    expect(numbers[0]).toBe(numbers[1]);
  });

  it("refuses more connections that have not said hello than the limit [GATE-9]", async () => {
    await restart({ limits: { unauthenticatedConnections: 1 } });
    const first = await open("/connect");
    await expect(open("/connect")).rejects.toMatchObject({ code: "too-many-connections" });
    first.socket.send('{"t":"hello","v":1}');
    await first.frames.next();
    await open("/connect");
  });

  it("answers the commands that came before the close [WS-6]", async () => {
    const { socket, frames } = await open("/connect");
    socket.send('{"t":"hello","v":1}\n{"t":"publish","n":1,"channel":"a","id":"x","at":1,"data":1}');
    socket.close(1000);
    await closeOf(socket);
    expect((await frames.next()).text).toContain('"t":"result","n":1');
  });
});

describe("connections", () => {
  it("beyond the limit are refused, whatever their transport [LIM-2]", async () => {
    await restart({ limits: { connections: 2 } });
    await open("/channels/a");
    const { socket } = await open("/connect");
    await expect(open("/channels/a")).rejects.toMatchObject({ code: "too-many-connections" });
    const stream = await fetch(`${url}/channels/a`, { headers: { accept: "text/event-stream" } });
    expect([stream.status, stream.headers.get("retry-after")]).toEqual([429, "10"]);
    expect((await fetch(`${url}/channels/a?wait=1`)).status).toBe(429);
    const closed = closeOf(socket);
    socket.close();
    await closed;
    while (server.connections > 1) await new Promise((resolve) => setImmediate(resolve));
    await open("/channels/a");
  });

  it("that come and go leave nothing behind", async () => {
    for (let n = 0; n < 50; n++) {
      const { socket } = await open("/channels/a");
      const closed = closeOf(socket);
      socket.close();
      await closed;
    }
    while (server.connections > 0) await new Promise((resolve) => setImmediate(resolve));
    const { connections, closed } = server.counters();
    expect([connections?.["websocket"], closed?.["websocket"]]).toEqual([50, 50]);
  });
});

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** The methods of a broker as properties, so that one can be replaced. */
function bind(broker: Broker): Broker {
  return {
    capabilities: broker.capabilities,
    append: (channel, messages) => broker.append(channel, messages),
    read: (channel, since, limit) => broker.read(channel, since, limit),
    subscribe: (channel, listener) => broker.subscribe(channel, listener),
    heads: (names) => broker.heads(names),
    time: () => broker.time(),
    close: () => broker.close(),
  };
}
