/** Connections on which nothing is asked, or whose peer does not leave: how long they stay. */
import { spawn } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import type { Server } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import { createPartyline, type Partyline, type PartylineOptions } from "../src/server.ts";
import { createVirtualClock, type VirtualClock } from "../src/testing/virtual-clock.ts";
import { makeCertificate } from "./support/certificate.ts";
import { silent } from "./support/line-rig.ts";
import { until } from "./support/until.ts";
import { ask } from "./transport/ask.ts";

const tls = makeCertificate();
const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

function serve(options: PartylineOptions = {}): Partyline {
  const server = createPartyline({ logger: silent, ...options });
  ends.push(() => server.close());
  return server;
}

function hold<T extends Socket>(socket: T): T {
  socket.on("error", () => undefined);
  ends.push(() => socket.destroy());
  return socket;
}

/** Lets seconds pass until it is so. @returns How many. */
async function pass(clock: VirtualClock, so: () => boolean): Promise<number> {
  for (let seconds = 0; ; seconds++) {
    for (let n = 0; n < 20; n++) await new Promise((resolve) => setImmediate(resolve));
    if (so()) return seconds;
    clock.advance(1_000);
  }
}

const PREFACE = Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame(4, 0, 0, "")]);

function frame(type: number, flags: number, stream: number, body: string | Buffer): Buffer {
  return Buffer.from([0, 0, body.length, type, flags, 0, 0, 0, stream, ...Buffer.from(body)]);
}

/** The header block of `GET https://localhost/channels/a` (RFC 7541). */
const GET = Buffer.from([
  0x82,
  0x87,
  4,
  11,
  ...Buffer.from("/channels/a"),
  1,
  9,
  ...Buffer.from("localhost"),
]);

/** A peer that speaks HTTP/2 by hand, and does not close its side when the server does. */
async function speak(port: number, ...frames: Buffer[]): Promise<Socket> {
  const socket = hold(
    connectTls({
      port,
      host: "127.0.0.1",
      rejectUnauthorized: false,
      ALPNProtocols: ["h2"],
      allowHalfOpen: true,
    } as object),
  );
  await once(socket, "secureConnect");
  socket.resume().write(Buffer.concat([PREFACE, ...frames]));
  await once(socket, "data");
  return socket;
}

/** Whether the server has let go of the socket: what is sent then is answered by a reset. */
function closes(socket: Socket, says?: Buffer): () => boolean {
  let closed = false;
  socket.on("close", () => (closed = true));
  return () => {
    if (says && !closed) socket.write(says);
    return closed;
  };
}

const PING = frame(6, 0, 0, "ping 123");

describe("a connection with TLS", () => {
  it("that never shakes hands is ended after 20 s [HTTP-41]", async () => {
    const clock = createVirtualClock();
    const { port } = await serve({ clock }).listen(0, "127.0.0.1", { tls });
    const socket = hold(connect(port, "127.0.0.1")).resume();
    await once(socket, "connect");
    expect(await pass(clock, closes(socket))).toBeLessThanOrEqual(22);
  });

  it("stays while it is asked for something, long after its handshake", async () => {
    const clock = createVirtualClock();
    const { url } = await serve({ clock }).listen(0, "127.0.0.1", { tls });
    const head = { accept: "text/event-stream" };
    const request = httpsRequest(`${url}/channels/a`, {
      rejectUnauthorized: false,
      agent: false,
      headers: head,
    });
    request.on("error", () => undefined).end();
    const [response] = (await once(request, "response")) as [Socket];
    const closed = closes(response.resume());
    let second = 0;
    await pass(clock, () => second++ === 100);
    expect(closed()).toBe(false);
    request.destroy();
  });

  it("and HTTP/2 that asks for nothing is ended [HTTP-41]", async () => {
    const clock = createVirtualClock();
    const { port } = await serve({ clock }).listen(0, "127.0.0.1", { tls });
    const socket = await speak(port);
    expect(await pass(clock, closes(socket, PING))).toBeLessThanOrEqual(72);
  });

  it("and HTTP/2 that asks for nothing makes room for a new one beyond the limit [HTTP-41]", async () => {
    const { port } = await serve({ limits: { unauthenticatedConnections: 2 } }).listen(0, "127.0.0.1", {
      tls,
    });
    const [first, second] = [await speak(port), await speak(port)];
    const [isFirstClosed, isSecondClosed] = [closes(first, PING), closes(second)];
    await speak(port);
    await until(isFirstClosed);
    expect(isSecondClosed()).toBe(false);
  });

  it("and HTTP/2 is ended 120 s after the last stream [HTTP-41]", async () => {
    const clock = createVirtualClock();
    const { port } = await serve({ clock }).listen(0, "127.0.0.1", { tls });
    const socket = await speak(port, frame(1, 5, 1, GET));
    // It ends with what Node still has to say, while the clock of the test goes on.
    expect(await pass(clock, closes(socket, PING))).toBeGreaterThanOrEqual(120);
  });

  it("and HTTP/2 whose peer says goodbye, but does not close, is closed [HTTP-41]", async () => {
    const { port } = await serve({ limits: { slowReader: 100 } }).listen(0, "127.0.0.1", { tls });
    const socket = await speak(port, frame(1, 5, 1, GET), frame(7, 0, 0, Buffer.alloc(8)));
    socket.on("error", () => undefined);
    const isClosed = closes(socket, PING);
    await until(() => isClosed());
  });
});

describe("an idle connection of HTTP/1.1", () => {
  it.each([
    ["without TLS", false],
    ["with TLS", true],
  ])(
    "%s is kept for longer than 60 s, and one that sends no head for longer still [HTTP-42]",
    async (_how, secure) => {
      const servers = new Set<Server>();
      const note = (message: unknown): void => void servers.add((message as { server: Server }).server);
      subscribe("http.server.request.start", note);
      ends.push(() => unsubscribe("http.server.request.start", note));
      const { port, url } = await serve().listen(0, "127.0.0.1", secure ? { tls } : {});
      const keep = { connection: "keep-alive" };
      const headers = secure
        ? await new Promise<Record<string, unknown>>((resolve, reject) => {
            const request = httpsRequest(`${url}/channels/a`, { rejectUnauthorized: false, headers: keep });
            request.on("error", reject).on("response", (response) => resolve(response.resume().headers));
            request.end();
          })
        : (await ask(port, "/channels/a", { headers: keep })).headers;
      expect(headers["keep-alive"]).toBe("timeout=65");
      const [server] = servers;
      expect(server?.keepAliveTimeout).toBe(65_000);
      expect(server?.headersTimeout).toBe(70_000);
    },
  );
});

const SCRIPT = `
import { createPartyline } from ${JSON.stringify(new URL("../src/server.ts", import.meta.url).href)};
const { tls } = JSON.parse(process.argv[1]);
const server = createPartyline();
const { port } = await server.listen(0, "127.0.0.1", { tls });
process.send?.(port);
await new Promise((resolve) => process.once("message", resolve));
process.channel.unref();
await server.close();
`;

describe("close()", () => {
  it("settles before its process ends, with peers of HTTP/2 that do not leave", async () => {
    const child = spawn(process.execPath, ["--input-type=module", "-e", SCRIPT, JSON.stringify({ tls })], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    const [port] = (await once(child, "message")) as [number];
    await speak(port, frame(7, 0, 0, Buffer.alloc(8)));
    await speak(port);
    child.send("close");
    expect((await once(child, "exit"))[0]).toBe(0);
  });
});
