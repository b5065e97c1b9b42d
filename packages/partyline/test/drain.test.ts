/** A server that lets its clients go, as they are told over the network. */
import { createServer } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { createVirtualClock } from "../src/testing/virtual-clock.ts";
import { createPartyline, type Partyline, type PartylineOptions } from "../src/server.ts";
import type { ReadSseEvent } from "../src/protocol/sse.ts";
import { listen as listenOn } from "./support/hosts.ts";
import { silent } from "./support/line-rig.ts";
import { ATTACH, HELLO, listen, STREAM, talk, type Talker } from "./support/peers.ts";
import { until } from "./support/until.ts";
import { ask } from "./transport/ask.ts";
import { openSocket } from "./transport/websocket-probes.ts";

const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

interface Rig {
  readonly server: Partyline;
  readonly port: number;
  readonly url: string;
}

async function start(options: PartylineOptions = {}): Promise<Rig> {
  const server = createPartyline({ logger: silent, ...options });
  ends.push(() => server.close());
  const { port, url } = await server.listen(0, "127.0.0.1");
  return { server, port, url };
}

/** A server that drains, with one connection that does not leave. */
async function startDraining(options?: PartylineOptions): Promise<Rig & { readonly stays: Talker }> {
  const rig = await start(options);
  const stays = await talk(rig.url, HELLO, ATTACH);
  void rig.server.drain({ within: "1h" });
  expect(await stays.next()).toMatchObject({ t: "drain" });
  return { ...rig, stays };
}

const POLL = `{"t":"hello","v":1,"wait":20}\n${ATTACH}`;
const publish = (n: number): string =>
  `{"t":"publish","n":${n},"channel":"a","id":"p${n}","at":1,"data":${n}}`;

function post(url: string, body: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, { method: "POST", body, headers });
}

function dataOf(event: ReadSseEvent | "end"): string {
  return event === "end" ? event : event.data;
}

async function refused(answer: Promise<Response>): Promise<unknown> {
  const response = await answer;
  const problem = (await response.json()) as { code: string; retryAfter: number };
  const { retryAfter } = problem;
  expect(retryAfter).toBeGreaterThanOrEqual(1);
  expect(retryAfter).toBeLessThanOrEqual(3);
  expect(response.headers.get("retry-after")).toBe(String(Math.ceil(retryAfter)));
  return [response.status, problem.code];
}

describe("whoever is there when a server begins to drain", () => {
  it("is asked to leave over a WebSocket of /connect, and served until it does [DRAIN-2, DRAIN-7]", async () => {
    const { server, stays } = await startDraining();
    await server.channel("a").publish("still");
    expect(await stays.next()).toMatchObject({ t: "m", data: "still" });
    stays.say(publish(2));
    expect(await stays.next()).toMatchObject({ t: "result", n: 2 });
    expect(await stays.next()).toMatchObject({ t: "m", data: 2 });
    expect(server.state).toBe("draining");
    const drained = server.drain();
    stays.leave();
    await drained;
    expect(server.state).toBe("closed");
  });

  it("is asked to leave over a stream of /connect, and served until it does [DRAIN-2]", async () => {
    const { server, url } = await start();
    const reader = await listen(`${url}/connect`, { method: "POST", body: `${HELLO}\n${ATTACH}` });
    await reader.next();
    const drained = server.drain({ within: 60_000 });
    const { t, within } = JSON.parse(dataOf(await reader.next())) as { t: string; within: number };
    expect(t).toBe("drain");
    expect(within).toBeLessThanOrEqual(60_000);
    expect(within).toBeGreaterThan(30_000);
    await server.channel("a").publish("still");
    expect(dataOf(await reader.next())).toContain('"data":"still"');
    reader.leave();
    await drained;
  });

  it("has a waiting poll of /connect answered with the frame [DRAIN-3]", async () => {
    const { server, url } = await start();
    const answer = post(`${url}/connect`, POLL);
    await until(() => server.counters().attached !== undefined);
    const drained = server.drain();
    const lines = (await (await answer).text()).trim().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { t: string }).t)).toEqual([
      "welcome",
      "attached",
      "drain",
    ]);
    await drained;
  });

  it("may poll on where it finds no other server, asked again with each answer [DRAIN-3]", async () => {
    const { server, url } = await startDraining();
    const answer = post(`${url}/connect`, POLL);
    const quiet = (await (await answer).text()).trim().split("\n");
    expect(quiet.map((line) => (JSON.parse(line) as { t: string }).t)).toEqual([
      "welcome",
      "attached",
      "drain",
    ]);
    const position = (JSON.parse(quiet[1] ?? "") as { position: string }).position;
    await server.channel("a").publish("news");
    const news = await (
      await post(`${url}/connect`, POLL.replace('"a"', `"a","since":"${position}"`))
    ).text();
    expect(news).toContain('"t":"drain"');
    expect(news).toContain('"data":"news"');
  });

  it("is waited for between two polls of /connect [DRAIN-3]", async () => {
    const clock = createVirtualClock();
    const { server, url } = await start({ clock });
    const answer = post(`${url}/connect`, POLL);
    await until(() => server.counters().attached !== undefined);
    void server.drain({ within: "1h" });
    expect(await (await answer).text()).toContain('"t":"drain"');
    clock.advance(900);
    await new Promise((resolve) => setImmediate(resolve));
    expect(server.state).toBe("draining");
    clock.advance(200);
    await until(() => server.state === "closed");
  });

  it("has a long poll in JSON answered at once, told why [DRAIN-4]", async () => {
    const { server, url } = await start();
    const answer = fetch(`${url}/channels/a?wait=50`);
    await until(() => server.counters().attached !== undefined);
    void server.drain();
    expect(await (await answer).json()).toMatchObject({ messages: [], draining: true });
  });

  it("has a native stream ended, told where it stands and when to come back [DRAIN-5]", async () => {
    const { server, url } = await start();
    const [one, several] = await Promise.all([
      listen(`${url}/channels/a`),
      listen(`${url}/events?channel=b&channel=a`),
    ]);
    await Promise.all([one.next(), several.next()]);
    const { position } = await server.channel("a").publish("x");
    await Promise.all([one.next(), several.next(), several.next()]);
    await server.drain();
    for (const [events, id] of [
      [one, position],
      [several, new RegExp(`^v1,\\w+:0,${position}$`)],
    ] as const) {
      const event = await events.next();
      const { retry } = events;
      expect(retry).toBeGreaterThanOrEqual(1_000);
      expect(retry).toBeLessThanOrEqual(3_000);
      expect(event).toMatchObject({ event: "drain", data: JSON.stringify({ retry }) });
      expect((event as ReadSseEvent).id).toMatch(id);
      expect(await events.next()).toBe("end");
    }
  });

  it("has a raw WebSocket closed, which has no word for it [DRAIN-6]", async () => {
    const { server, url } = await start();
    const socket = await openSocket(`${url}/channels/a`);
    const closed = new Promise((resolve) =>
      socket.on("close", (code, reason) => resolve([code, String(reason)])),
    );
    await server.drain();
    expect(await closed).toEqual([4503, expect.stringMatching(/^draining: /)]);
  });

  it("is closed where it has not said hello [DRAIN-2]", async () => {
    const { server, url } = await start();
    const silentPeer = await talk(url);
    await server.drain();
    expect(await silentPeer.next()).toMatchObject({ t: "error", code: "draining" });
    expect(await silentPeer.closed).toBe(4503);
  });

  it("is closed when the time is up [DRAIN-8]", async () => {
    const { server, url } = await start();
    const stays = await talk(url, HELLO);
    await server.drain({ within: 50 });
    expect(await stays.next()).toMatchObject({ t: "drain" });
    expect(await stays.next()).toMatchObject({ t: "error", code: "draining" });
    expect(await stays.closed).toBe(4503);
  });
});

describe("a server that drains", () => {
  it("lets nobody new in, and tells each when to try again [DRAIN-9]", async () => {
    const { url } = await startDraining();
    const draining = [503, "draining"];
    const stream = { method: "POST", headers: STREAM, body: `${HELLO}\n${ATTACH}` };
    expect(await refused(fetch(`${url}/connect`, stream))).toEqual(draining);
    expect(await refused(post(`${url}/connect`, POLL.replace("20", "0.001")))).toEqual(draining);
    expect(await refused(fetch(`${url}/channels/a?wait=20`))).toEqual(draining);
    for (const path of ["/channels/a", "/connect"])
      await expect(openSocket(`${url}${path}`)).rejects.toMatchObject({ code: "draining" });
  });

  it("refuses an attach on a connection that is there, whose moment that is [DRAIN-9]", async () => {
    const { server, url } = await start();
    const first = await talk(url, HELLO);
    const second = await talk(url, HELLO);
    // The second would be asked in half an hour.
    void server.drain({ within: "1h", rate: 1 / 3_600 });
    expect(await first.next()).toMatchObject({ t: "drain" });
    second.say(ATTACH);
    expect([await second.next(), await second.next()]).toMatchObject([
      { t: "drain" },
      { t: "error", n: 1, code: "draining" },
    ]);
  });

  it("still takes publishes and answers what is kept, and keeps no connection for more [DRAIN-7, DRAIN-10]", async () => {
    const { url, port } = await startDraining();
    const answers = [
      await ask(port, "/channels/a", { method: "POST", body: "x", headers: { connection: "keep-alive" } }),
      await ask(port, "/connect", { method: "POST", body: `${HELLO}\n${publish(1)}` }),
      await ask(port, "/channels/a?since=earliest", { headers: { connection: "keep-alive" } }),
    ];
    expect(answers.map(({ status, headers }) => [status, headers["connection"]])).toEqual([
      [201, "close"],
      [200, "close"],
      [200, "close"],
    ]);
    const { messages } = (await (await fetch(`${url}/channels/a?since=earliest`)).json()) as {
      messages: unknown[];
    };
    expect(messages).toHaveLength(2);
  });

  it("sends a native EventSource away in words that it understands [SSE-15]", async () => {
    const { url } = await startDraining();
    for (const path of ["/channels/a", "/events?channel=a"]) {
      const stream = await listen(`${url}${path}`);
      expect(stream.response.status).toBe(200);
      const { event, data } = (await stream.next()) as { event: string; data: string };
      const problem = JSON.parse(data) as { code: string; retryAfter: number };
      expect([event, problem.code]).toEqual(["error", "draining"]);
      expect(stream.retry).toBeCloseTo(problem.retryAfter * 1_000);
      expect(await stream.next()).toBe("end");
    }
  });

  it("can be told twice, and closed at once", async () => {
    const { server, stays } = await startDraining();
    const drained = server.drain({ within: 1 });
    await server.close();
    await drained;
    expect(await stays.closed).toBe(4503);
    await server.drain();
  });

  it("ends at once where nobody is there", async () => {
    const { server } = await start();
    await server.drain({ within: "1h" });
    expect(server.state).toBe("closed");
  });

  it("does so as a guest, whose host goes on", async () => {
    const server = createPartyline({ logger: silent });
    const answer = (path: string, init?: RequestInit): Promise<Response> =>
      server.fetch(new Request(`http://localhost${path}`, init));
    const waiting = answer("/channels/a?wait=20");
    await until(() => server.counters().attached !== undefined);
    const drained = server.drain();
    expect(await (await waiting).json()).toMatchObject({ draining: true });
    await drained;
    expect((await answer("/channels/a")).status).toBe(503);
  });

  it("goes on refusing on its paths as a guest, where its host would say that there is nothing", async () => {
    const server = createPartyline({ logger: silent });
    const http = createServer((_request, response) => response.writeHead(404).end());
    server.attach(http);
    const host = await listenOn(http);
    await server.drain();
    expect(await refused(fetch(`${host.url}/channels/a`))).toEqual([503, "draining"]);
    expect((await listen(`${host.url}/channels/a`)).response.status).toBe(200);
    expect((await fetch(`${host.url}/connect/ready`)).status).toBe(503);
    expect((await fetch(`${host.url}/own`)).status).toBe(404);
    await host.close();
  });

  it("refuses a time or a rate that is none", () => {
    const server = createPartyline();
    expect(() => server.drain({ rate: 0 })).toThrow(TypeError);
    expect(() => server.drain({ within: -1 })).toThrow(TypeError);
    expect(server.state).toBe("serving");
  });
});

describe("whoever asks whether readers may come", () => {
  it("is told yes until the server drains, at a name of its own choice [PROBE-1, PROBE-3]", async () => {
    const rig = await startDraining();
    const other = await start();
    const foreign = { headers: { host: "10.0.0.7:8080" } };
    const told = async ({ port }: Rig, path: string): Promise<unknown> => {
      const { status, body } = await ask(port, path, foreign);
      return [status, JSON.parse(body)];
    };
    expect(await told(other, "/connect/ready")).toEqual([200, { state: "serving" }]);
    expect(await told(rig, "/connect/ready")).toEqual([503, { state: "draining" }]);
  });

  it("is told that the process lives, whatever it does [PROBE-2]", async () => {
    const { port } = await startDraining();
    const { status, body } = await ask(port, "/connect/live");
    expect([status, JSON.parse(body)]).toEqual([200, { state: "draining" }]);
  });

  it("is answered without a body to HEAD, and refused any other method, also OPTIONS", async () => {
    const { port } = await start();
    for (const path of ["/connect/ready", "/connect/live"]) {
      expect(await ask(port, path, { method: "HEAD" })).toMatchObject({ status: 200, body: "" });
      for (const method of ["OPTIONS", "POST"]) {
        const { status, headers } = await ask(port, path, { method });
        expect([status, headers["allow"]]).toEqual([405, "GET, HEAD"]);
      }
    }
  });

  it("is answered below a prefix, by fetch, and after the end", async () => {
    const server = createPartyline({ path: "/realtime", logger: silent });
    const status = async (path: string): Promise<number> =>
      (await server.fetch(new Request(`http://localhost${path}`))).status;
    expect([await status("/realtime/connect/ready"), await status("/connect/ready")]).toEqual([200, 404]);
    await server.close();
    expect([await status("/realtime/connect/ready"), await status("/realtime/connect/live")]).toEqual([
      503, 200,
    ]);
  });

  it("gets no WebSocket there", async () => {
    const { port } = await start();
    const socket = new WebSocket(`ws://127.0.0.1:${port}/connect/ready`);
    const status = await new Promise((resolve) =>
      socket.on("unexpected-response", (_request, response) => resolve(response.statusCode)),
    );
    expect(status).toBe(405);
  });
});
