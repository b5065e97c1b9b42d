/** A client against networks that block, buffer and cut, and servers that go away. */
import { describe, expect, it, vi } from "vitest";
import { createClient, type Client, type TransportName } from "../src/client/index.ts";
import { createPartyline } from "../src/server.ts";
import { openLine } from "../src/testing/network-line.ts";
import { createTestNetwork } from "../src/testing/test-network.ts";

const transports: TransportName[] = ["ws", "sse", "poll"];
const hasten = { baseDelay: 1, openTimeout: 1_000 };

/** A WebSocket as behind a proxy that takes upgrades for nonsense: it fails while `blocked`. */
function blockedWebSocket() {
  const network = { blocked: true, attempts: 0, WebSocket: undefined as unknown as typeof WebSocket };
  network.WebSocket = function open(url: string, protocol: string) {
    network.attempts++;
    const { origin } = new URL(url);
    return new WebSocket(network.blocked ? `${origin}/nothing/here` : url, protocol);
  } as unknown as typeof WebSocket;
  return network;
}

/** A `fetch` as behind a proxy that holds event streams back until they end. */
const bufferingFetch: typeof fetch = async (input, init) => {
  if (new Headers(init?.headers).get("accept") !== "text/event-stream") return fetch(input, init);
  const response = await fetch(input, init);
  return new Response(new ReadableStream({ start: () => undefined, cancel: () => response.body?.cancel() }));
};

function isLive(client: Client, transport: TransportName): Promise<void> {
  return new Promise((resolve) => {
    const check = (): void => {
      if (client.state.status === "live" && client.state.transport === transport) resolve();
    };
    client.on("state", check);
    check();
  });
}

describe("a transport that does not work", () => {
  it("is left for the next one: WebSocket for server-sent events", async () => {
    await using server = createPartyline();
    const { url } = await server.listen(0);
    await using client = createClient(url, { ...hasten, WebSocket: blockedWebSocket().WebSocket });
    await isLive(client, "sse");
  });

  it("is left for the next one: a buffered event stream for polling", async () => {
    await using server = createPartyline();
    const { url } = await server.listen(0);
    const { WebSocket: blocked } = blockedWebSocket();
    await using client = createClient(url, {
      ...hasten,
      openTimeout: 300,
      WebSocket: blocked,
      fetch: bufferingFetch,
    });
    const { position } = await client.channel("a").publish(1);
    await isLive(client, "poll");
    const { value } = await client.channel("a", { since: "earliest" }).messages().next();
    expect(value).toMatchObject({ position, data: 1 });
  });

  it("is not begun with again after the connection was lost: the client remembers what worked", async () => {
    await using server = createPartyline();
    const { port } = await server.listen(0);
    await using line = await openLine(port);
    const network = blockedWebSocket();
    const url = `http://127.0.0.1:${line.port}`;
    await using client = createClient(url, { ...hasten, WebSocket: network.WebSocket });
    await isLive(client, "sse");
    const reconnecting = new Promise<void>((resolve) => {
      client.on("state", ({ status }) => status === "reconnecting" && resolve());
    });
    line.cut();
    await reconnecting;
    await isLive(client, "sse");
    expect(network.attempts).toBe(1);
  });

  it("is tried again later, beside the one that works, and takes over without a loss", async () => {
    await using server = createPartyline();
    const { url } = await server.listen(0);
    const network = blockedWebSocket();
    await using client = createClient(url, { ...hasten, WebSocket: network.WebSocket, upgradeInterval: 20 });
    const statuses: string[] = [];
    client.on("state", ({ status }) => statuses.push(status));
    await isLive(client, "sse");
    const messages = client.channel<number>("a", { since: "earliest" }).messages();
    await server.channel("a").publish(1);
    expect((await messages.next()).value).toMatchObject({ data: 1 });
    network.blocked = false;
    await isLive(client, "ws");
    await server.channel("a").publish(2);
    expect((await messages.next()).value).toMatchObject({ data: 2 });
    expect(statuses).toEqual(["live", "live"]);
  });

  it("can't be changed to: the present one goes on", async () => {
    await using server = createPartyline();
    const { url } = await server.listen(0);
    const { WebSocket: blocked } = blockedWebSocket();
    await using client = createClient(url, { ...hasten, transports: ["sse", "ws"], WebSocket: blocked });
    await isLive(client, "sse");
    await expect(client.switchTransport("ws")).rejects.toMatchObject({ code: "offline" });
    expect(client.state).toMatchObject({ status: "live", transport: "sse" });
  });
});

describe.each(transports)("over %s", (transport) => {
  it("resumes right after it has connected, and again, without loss or double (streams-adapter#26, #48)", async () => {
    await using server = createPartyline();
    const { port } = await server.listen(0);
    await using line = await openLine(port);
    await using client = createClient(`http://127.0.0.1:${line.port}`, {
      ...hasten,
      transports: [transport],
    });
    const channel = client.channel<number>("a", { since: "earliest" });
    const messages = channel.messages();
    const got: unknown[] = [];
    for (let n = 0; n < 5; n++) {
      await isLive(client, transport);
      line.cut();
      await server.channel("a").publish(n);
      const { value } = await messages.next();
      got.push(value?.data);
    }
    expect(got).toEqual([0, 1, 2, 3, 4]);
  });

  it("tells the gap when the log has begun a new life behind its back, and goes on in it [POS-17]", async () => {
    const server = createPartyline();
    const { url, port } = await server.listen(0);
    await using client = createClient(url, { ...hasten, transports: [transport] });
    const channel = client.channel<string>("a", { since: "earliest", onGap: "continue" });
    const gap = new Promise((resolve) => void channel.on("gap", resolve));
    const messages = channel.messages();
    await server.channel("a").publish("old");
    expect((await messages.next()).value).toMatchObject({ data: "old" });
    await server.close();

    await using restarted = createPartyline();
    await restarted.listen(port);
    await restarted.channel("a").publish("new");
    expect(await gap).toMatchObject({ reason: "epoch" });
    expect((await messages.next()).value).toMatchObject({ data: "new", offset: 1 });
  });

  it.each([true, false])(
    "gives a page with the default options what follows a restart of the server, and shows the gap (listens for gaps: %s) [GAP-6, GAP-8]",
    async (listens) => {
      const warned = vi.spyOn(console, "warn").mockImplementation(() => undefined);
      const server = createPartyline();
      const { url, port } = await server.listen(0);
      await using client = createClient(url, { ...hasten, transports: [transport] });
      const channel = client.channel<string>("a", { since: "earliest" });
      const told: unknown[] = [];
      const heard = (text: string): Promise<void> =>
        new Promise((resolve) => {
          const off = channel.on("message", ({ data }) => {
            told.push(data);
            off();
            if (data === text) resolve();
          });
        });
      if (listens) channel.on("gap", ({ reason }) => told.push(reason));
      const before = heard("before");
      channel.on("message", () => undefined);
      await server.channel("a").publish("before");
      await before;
      await server.close();

      await using restarted = createPartyline();
      await restarted.listen(port);
      const after = heard("after");
      await restarted.channel("a").publish("after");
      await after;
      expect(told).toEqual(listens ? ["before", "epoch", "after"] : ["before", "after"]);
      expect(
        warned.mock.calls.flat().filter((text) => String(text).startsWith('Messages of "a" were missed')),
      ).toHaveLength(listens ? 0 : 1);
      expect(client.state.status).toBe("live");
    },
  );

  it("keeps what is published while the server is away, and stores it once and in order [PUB-9]", async () => {
    const server = createPartyline();
    const { url, port } = await server.listen(0);
    await using client = createClient(url, { ...hasten, transports: [transport] });
    const channel = client.channel<number>("a");
    await channel.publish(0);
    await server.close();
    const waiting = [1, 2, 3].map((n) => channel.publish(n));
    expect(channel.pending).toHaveLength(3);

    await using restarted = createPartyline();
    await restarted.listen(port);
    await Promise.all(waiting);
    const { messages } = await restarted.channel<number>("a").history({ since: "earliest" });
    expect(messages.map(({ data }) => data)).toEqual([1, 2, 3]);
  });

  it("sends a publish again whose connection is silent while others are not", async () => {
    await using net = await createTestNetwork();
    const ada = await net.client({ transports: [transport] });
    ada.channel("a").on("message", () => undefined);
    await net.settled();
    ada.line.blackhole("up");
    const published = ada.channel("a").publish(1);
    await net.advance(1);
    ada.line.mend();
    await net.settled();
    expect(await published).toMatchObject({ duplicate: false });
  });

  it("refuses what waits when it is closed without a server", async () => {
    const server = createPartyline();
    const { url } = await server.listen(0);
    await server.close();
    const client = createClient(url, { ...hasten, transports: [transport] });
    const waiting = client.channel("a").publish(1);
    const next = client.channel("a").messages().next();
    await client.close();
    await expect(waiting).rejects.toMatchObject({ code: "closed" });
    expect(await next).toEqual({ done: true, value: undefined });
  });
});
