import { createServer } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { createPartyline, type Partyline, type PartylineOptions } from "../src/server.ts";
import { type Host, listen, OWN, type Way, WAYS } from "./support/hosts.ts";
import { openRawSse } from "./transport/http-probes.ts";
import { openConnectWebSocket, openRawWebSocket } from "./transport/websocket-probes.ts";

const servers: Partyline[] = [];
const hosts: Host[] = [];
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
  for (const host of hosts.splice(0)) await host.close();
});

function create(options: PartylineOptions = {}): Partyline {
  const server = createPartyline({ logger: silent, ...options });
  servers.push(server);
  return server;
}

async function enter(way: Way, options: PartylineOptions = {}): Promise<{ server: Partyline; url: string }> {
  const server = create(options);
  const host = await way.start(server);
  hosts.push(host);
  return { server, url: host.url };
}

describe.each(WAYS)("within $name", (way) => {
  it("publishes, reads history and streams [HTTP-1]", async () => {
    const { url } = await enter(way);
    await using stream = await openRawSse({ url, channel: "a/b" });
    const json = { "content-type": "application/json" };
    const posted = await fetch(`${url}/channels/a/b`, { method: "POST", body: '{"n":1}', headers: json });
    expect(posted.status).toBe(201);
    expect(await stream.next()).toMatchObject({ data: '{"n":1}' });
    const history = (await (await fetch(`${url}/channels/a/b`)).json()) as { messages: unknown[] };
    expect(history.messages).toMatchObject([{ offset: 1, data: { n: 1 } }]);
  });

  it("compresses streams and history for who takes that [SSE-16, SSE-18, HTTP-25]", async () => {
    const { server, url } = await enter(way, { compression: { threshold: 100 } });
    const response = await fetch(`${url}/channels/a`, { headers: { accept: "text/event-stream" } });
    expect(response.headers.get("content-encoding")).toBe("gzip");
    await server.channel("a").publish("again ".repeat(100));
    const history = await fetch(`${url}/channels/a`);
    expect(history.headers.get("content-encoding")).toBe("gzip");
    expect(await history.json()).toMatchObject({ messages: [{ data: "again ".repeat(100) }] });
    const text = response.text();
    await server.close();
    expect(await text).toMatch(/^event: continuous\n[^]*\ndata: (again ){100}\n[^]*"code":"draining"/);
  });

  it("speaks WebSocket, raw and multiplexed", async ({ skip }) => {
    skip(!way.webSockets, "a fetch handler has no WebSockets");
    const { server, url } = await enter(way);
    await using raw = await openRawWebSocket({ url, channel: "a" });
    await using multiplexed = await openConnectWebSocket({ url, channel: "a" });
    await server.channel("a").publish("x");
    expect(await raw.next()).toMatchObject({ data: "x" });
    expect(await multiplexed.next()).toMatchObject({ data: "x" });
  });

  it("leaves the application's own paths to it, also for foreign pages", async () => {
    const { url } = await enter(way);
    const headers = { "sec-fetch-site": "cross-site" };
    expect(await (await fetch(`${url}${OWN.path}`, { headers })).text()).toBe(OWN.text);
    expect((await fetch(`${url}/channels/a`, { headers })).status).toBe(403);
  });

  it("refuses a body that is too large, and sees who has gone", async () => {
    const { server, url } = await enter(way);
    const big = await fetch(`${url}/channels/a`, { method: "POST", body: new Uint8Array(100_000) });
    expect([big.status, ((await big.json()) as { code: string }).code]).toEqual([413, "too-large"]);
    {
      await using stream = await openRawSse({ url, channel: "a" });
      expect([stream.response.status, server.connections]).toEqual([200, 1]);
    }
    while (server.connections > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  it("ends its streams when it is closed, and the application goes on", async () => {
    const { server, url } = await enter(way);
    await using stream = await openRawSse({ url, channel: "a" });
    await server.close();
    expect(await stream.next()).toEqual({ is: "end", code: "draining" });
    expect(await (await fetch(`${url}${OWN.path}`)).text()).toBe(OWN.text);
  });
});

describe("an attached server", () => {
  it("leaves upgrades of others to them, and answers those that are nobody's", async () => {
    const server = create();
    const http = createServer();
    server.attach(http);
    const host = await listen(http);
    hosts.push(host);
    await expect(openRawWebSocket({ url: `${host.url}/x`, channel: "a" })).rejects.toMatchObject({
      code: "unknown-path",
    });
    const taken = new Promise((resolve) =>
      http.on("upgrade", (request, socket) => {
        if (!request.url?.startsWith("/x")) return;
        resolve(request.url);
        socket.destroy();
      }),
    );
    await expect(openRawWebSocket({ url: `${host.url}/x`, channel: "a" })).rejects.toThrow("socket hang up");
    expect(await taken).toBe("/x/channels/a");
  });

  it("lets streams and polls be quiet for longer than its host lets connections", async () => {
    const server = create();
    const http = createServer();
    http.timeout = 100;
    server.attach(http);
    const host = await listen(http);
    hosts.push(host);
    await using stream = await openRawSse({ url: host.url, channel: "a" });
    const poll = await fetch(`${host.url}/channels/b?wait=1`);
    expect(poll.status).toBe(200);
    await server.channel("a").publish("x");
    expect(await stream.next()).toMatchObject({ data: "x" });
  });

  it("puts the listeners back when it is closed", async () => {
    const server = create();
    const own = (): void => undefined;
    const http = createServer(own);
    server.attach(http);
    await server.close();
    expect([http.listeners("request"), http.listenerCount("upgrade")]).toEqual([[own], 0]);
  });

  it("lives below a prefix", async () => {
    const server = createPartyline({ path: "/realtime", logger: silent });
    servers.push(server);
    const { url } = await server.listen(0);
    expect((await fetch(`${url}/realtime/channels/a`)).status).toBe(200);
    expect((await fetch(`${url}/channels/a`)).status).toBe(404);
    expect(() => createPartyline({ path: "realtime/" })).toThrow(TypeError);
  });

  it("warns once that any host name is answered", async () => {
    const warned: string[] = [];
    const server = createPartyline({ logger: { ...silent, warn: (message) => warned.push(message) } });
    servers.push(server);
    for (let n = 0; n < 2; n++) await server.fetch(new Request("http://any.example/channels/a"));
    expect(warned).toEqual([expect.stringContaining("`hosts`")]);
  });
});
