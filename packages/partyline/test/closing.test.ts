import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createMemoryBroker } from "../src/brokers/memory/index.ts";
import { createPartyline, type Partyline } from "../src/server.ts";
import { createVirtualClock } from "../src/testing/virtual-clock.ts";
import { openLine } from "../src/testing/network-line.ts";
import { WAYS } from "./support/hosts.ts";
import { silent } from "./support/line-rig.ts";
import { until } from "./support/until.ts";
import { openConnectPoll, openConnectSse, openJsonPoll, openRawSse } from "./transport/http-probes.ts";
import { openConnectWebSocket, openRawWebSocket } from "./transport/websocket-probes.ts";

const sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** A peer that says this and never reads an answer. */
async function deaf(port: number, bytes: string): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.pause().on("error", () => undefined);
  await new Promise((resolve) => socket.write(bytes, resolve));
  return socket;
}

async function fillPeers(server: Partyline): Promise<void> {
  const data = "x".repeat(60_000);
  for (let n = 0; n < 150; n++) {
    await server.channel("a").publish(data);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const STREAM = "GET /channels/a HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n";
const WEBSOCKET =
  "GET /channels/a HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

describe("close()", () => {
  it("ends every kind of connection, and leaves nothing open", async () => {
    const server = createPartyline();
    const { url } = await server.listen(0);
    const request = { url, channel: "a" };
    const probes = await Promise.all([
      openRawWebSocket(request),
      openConnectWebSocket(request),
      openRawSse(request),
      openConnectSse(request),
      openJsonPoll(request),
      openConnectPoll(request),
    ]);
    await server.close();
    for (const probe of probes) expect((await probe.next()).is).toBe("end");
    expect(server.connections).toBe(0);
    for (const probe of probes) await probe[Symbol.asyncDispose]();
    await expect(fetch(url)).rejects.toThrow("fetch failed");
  });

  it("ends with peers that never read", async () => {
    const server = createPartyline({ retention: { bytes: 64 * 1024 * 1024 } });
    const { port } = await server.listen(0);
    sockets.push(await deaf(port, STREAM), await deaf(port, WEBSOCKET));
    await until(() => server.connections === 2);
    await fillPeers(server);
    await server.close();
    expect(server.connections).toBe(0);
  });

  it("ends with peers that say nothing, or half of something", async () => {
    const server = createPartyline();
    const { port } = await server.listen(0);
    const half = "POST /channels/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf";
    sockets.push(await deaf(port, half), await deaf(port, "GET /chan"));
    await server.close();
  });

  it("ends with a broker that does not", async () => {
    const clock = createVirtualClock();
    const errors: string[] = [];
    const logger = { ...silent, error: (message: string) => errors.push(message) };
    const broker = { ...createMemoryBroker(), close: () => new Promise<void>(() => undefined) };
    let over = false;
    void createPartyline({ broker, clock, logger })
      .close()
      .then(() => (over = true));
    await until(() => {
      clock.advance(1_000);
      return over;
    });
    expect(errors).toEqual([expect.stringContaining("the broker does not end")]);
  });

  it("can be called twice, and before anything else", async () => {
    const server = createPartyline();
    await Promise.all([server.close(), server.close()]);
  });

  it("refuses what comes while it is going on", async () => {
    const server = createPartyline();
    await server.close();
    const answer = await server.fetch(new Request("http://localhost/channels/a"));
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([503, "draining"]);
  });
});

/** Opens everything there is: for peers that are well, that a network has swallowed, and that never read. */
async function openEverything(
  server: Partyline,
  port: number,
  webSockets: boolean,
): Promise<() => Promise<void>> {
  const streams = [openRawSse, openConnectSse];
  if (webSockets) streams.push(openRawWebSocket, openConnectWebSocket);
  const line = await openLine(port);
  // No polls over the line: the request of one that is swallowed leaves the server a connection on which nothing was
  // ever asked, and Node 22 waits a minute for such a one.
  const probes = await Promise.all([
    ...[...streams, openJsonPoll, openConnectPoll].map((open) =>
      open({ url: `http://127.0.0.1:${port}`, channel: "b" }),
    ),
    ...streams.map((open) => open({ url: line.url, channel: "b" })),
  ]);
  line.blackhole();
  const stuck = [await deaf(port, STREAM)];
  if (webSockets) stuck.push(await deaf(port, WEBSOCKET));
  await until(() => server.connections === (webSockets ? 10 : 5));
  await fillPeers(server);
  return async () => {
    for (const socket of stuck) socket.destroy();
    await line.close();
    for (const probe of probes) await probe[Symbol.asyncDispose]();
  };
}

describe("close() of a guest", () => {
  it.concurrent.for(WAYS)(
    "ends whatever is open within $name, which can end then too",
    async (way, context) => {
      const server = createPartyline({ logger: silent, retention: { bytes: 64 * 1024 * 1024 } });
      const host = await way.start(server);
      const end = await openEverything(server, Number(new URL(host.url).port), way.webSockets);
      await server.close();
      context.expect(server.connections).toBe(0);
      await host.close();
      await end();
    },
  );
});

describe("connections that come and go", () => {
  it("leave no listener, no seat and no subscription behind", async () => {
    await using server = createPartyline({ limits: { connections: 3 } });
    const { url } = await server.listen(0);
    for (let n = 0; n < 20; n++) {
      for (const open of [openRawWebSocket, openConnectWebSocket, openRawSse, openConnectSse]) {
        await using probe = await open({ url, channel: "a" });
        expect(probe.opening).toBeDefined();
      }
      await until(() => server.connections === 0);
    }
    const { connections, closed } = server.counters();
    expect(connections).toEqual({ websocket: 40, sse: 40 });
    expect(closed).toEqual(connections);
  });
});
