/** A client behind proxies that answer requests themselves, and gateways that close WebSockets. */
import { describe, expect, it } from "vitest";
import { createClient, type Client, type ClientOptions, type TransportName } from "../src/client/index.ts";
import { createPartyline } from "../src/server.ts";
import { createDisposables } from "./support/disposables.ts";
import {
  startRefusingProxy,
  type OwnAnswer,
  type Refusals,
  type SeenRequest,
} from "./support/refusing-proxy.ts";

const hasten = { baseDelay: 1, maxDelay: 5, openTimeout: 2_000 };

/** A server, a proxy in front of it, and a client that connects through the proxy. */
async function behind(refusals: Refusals, options: ClientOptions) {
  const all = createDisposables();
  const server = all.use(createPartyline());
  const { port } = await server.listen(0);
  const proxy = all.use(await startRefusingProxy(port, refusals));
  const client = all.use(createClient(proxy.url, { ...hasten, ...options }));
  const statuses: string[] = [];
  client.on("state", ({ status }) => statuses.push(status));
  return { server, proxy, client, statuses, [Symbol.asyncDispose]: () => all[Symbol.asyncDispose]() };
}

const isLive = (client: Client): Promise<void> =>
  new Promise((resolve) => {
    const check = (): void => void (client.state.status === "live" && resolve());
    client.on("state", check);
    check();
  });

const POISON = "poison";
const refuses =
  (answer: OwnAnswer | "reset", times = Infinity) =>
  ({ use, body }: SeenRequest): OwnAnswer | "reset" | undefined =>
    use === "commands" && body.includes(POISON) && times-- > 0 ? answer : undefined;

/** A client with a reader of channel `b`, and publishes to both channels around one that the proxy takes badly. */
async function publishAround(refusals: Refusals, transport: TransportName) {
  const world = await behind(refusals, { transports: [transport] });
  const { client, server, statuses } = world;
  const got: string[] = [];
  const heard = new Promise<void>((resolve) => {
    client.channel<string>("b", { since: "earliest" }).on("message", ({ data }) => {
      got.push(data);
      if (data === "last") resolve();
    });
  });
  await isLive(client);
  const room = client.channel<string>("a");
  const others = [room.publish("first"), client.channel("b").publish("other")];
  const poison = room.publish(POISON);
  others.push(room.publish("next"));
  return {
    ...world,
    poison,
    /** Resolves when all other publishes are stored and read, and the reading connection was never lost. */
    async othersArrive() {
      await Promise.all(others);
      await client.channel("b").publish("last");
      await heard;
      expect(got).toEqual(["other", "last"]);
      expect(statuses).toEqual(["live"]);
      const { messages } = await server.channel<string>("a").history({ since: "earliest" });
      return messages.map(({ data }) => data);
    },
  };
}

describe.each<TransportName>(["sse", "poll"])("over %s", (transport) => {
  it.each([400, 403, 404, 405, 413, 414, 415, 422, 431, 451])(
    "a publish that a proxy refuses with %i and HTML rejects alone, with the status [CONN-8]",
    async (status) => {
      await using world = await publishAround({ request: refuses({ status }) }, transport);
      await expect(world.poison).rejects.toMatchObject({
        code: "refused",
        message: `HTTP status ${status}, not from a partyline server.`,
      });
      expect(await world.othersArrive()).toEqual(["first", "next"]);
    },
  );

  it("a publish that a gateway refuses with a problem document of its own rejects alone [CONN-8]", async () => {
    const headers = { "content-type": "application/problem+json" };
    const body = JSON.stringify({ status: 403, title: "Blocked", code: "WAF-17" });
    await using world = await publishAround({ request: refuses({ status: 403, headers, body }) }, transport);
    await expect(world.poison).rejects.toMatchObject({ code: "refused" });
    expect(await world.othersArrive()).toEqual(["first", "next"]);
  });

  it.each<[string, OwnAnswer]>([
    ["200 and HTML", { status: 200 }],
    ["200 and nothing", { status: 200, body: "" }],
    ["200 and JSON that is no frame", { status: 200, body: "[null]" }],
    ["204", { status: 204 }],
    ["302 without a place", { status: 302 }],
    ["304", { status: 304 }],
    ["302 to a page that does not exist", { status: 302, headers: { location: "/blocked" } }],
  ])("a publish that a proxy answers with %s rejects as uncertain [CONN-9]", async (_, answer) => {
    await using world = await publishAround({ request: refuses(answer) }, transport);
    await expect(world.poison).rejects.toMatchObject({ code: "uncertain" });
    expect(await world.othersArrive()).toEqual(["first", "next"]);
  });

  it.each<[string, OwnAnswer | "reset"]>([
    ...[401, 408, 425, 429, 500, 501, 502, 503, 504, 520].map((status): [string, OwnAnswer] => [
      `${status} and HTML`,
      { status },
    ]),
    ["a reset", "reset"],
  ])(
    "a publish that a proxy answers with %s four times is stored in its place [CONN-10]",
    async (_, answer) => {
      await using world = await publishAround({ request: refuses(answer, 4) }, transport);
      await world.poison;
      expect(await world.othersArrive()).toEqual(["first", POISON, "next"]);
    },
  );

  it("a publish whose answers a proxy drops is repeated, and found as stored [CONN-9]", async () => {
    let dropped = 0;
    const response = (body: string, { use }: SeenRequest): string =>
      use === "commands" && dropped++ < 2 ? "" : body;
    await using world = await publishAround({ response }, transport);
    expect(await world.poison).toMatchObject({ duplicate: true });
    expect(await world.othersArrive()).toEqual(["first", POISON, "next"]);
  });

  it("a publish that a proxy refuses does not hold up other channels of the same request", async () => {
    await using world = await behind({ request: refuses({ status: 503 }) }, { transports: [transport] });
    const { client, server } = world;
    await isLive(client);
    const stuck = client.channel("stuck").publish(POISON);
    stuck.catch(() => undefined);
    const names = Array.from({ length: 20 }, (_, index) => `c${index}`);
    await Promise.all(names.map((name) => client.channel(name).publish(name)));
    expect(client.channel("stuck").pending).toHaveLength(1);
    expect((await server.channel("stuck").history({ since: "earliest" })).messages).toEqual([]);
  });
});

describe.each<TransportName>(["sse", "poll"])("channels over %s", (transport) => {
  const refusesRounds =
    (isRefused: (body: string) => boolean, answer: OwnAnswer) =>
    ({ use, body }: SeenRequest): OwnAnswer | undefined =>
      use === "round" && isRefused(body) ? answer : undefined;

  it("whose name a proxy refuses are refused alone, and all others are read [CONN-8]", async () => {
    const request = refusesRounds((body) => body.includes(POISON), { status: 403 });
    await using world = await behind({ request }, { transports: [transport] });
    const { client, server, statuses } = world;
    const names = ["a", "b", `${POISON}/1`, "c", "d", `${POISON}/2`, "e"];
    const refused: string[] = [];
    const got = new Map<string, Promise<void>>();
    for (const name of names) {
      const channel = client.channel<string>(name, { since: "earliest" });
      got.set(
        name,
        new Promise((resolve) => {
          channel.on("message", () => resolve());
          channel.on("state", ({ status, error }) => {
            if (status !== "refused") return;
            refused.push(`${name}: ${error?.code}, ${error?.message}`);
            resolve();
          });
        }),
      );
    }
    for (const name of names) await server.channel(name).publish(name);
    await Promise.all(got.values());
    const message = "refused, HTTP status 403, not from a partyline server.";
    expect(refused.sort()).toEqual([`${POISON}/1: ${message}`, `${POISON}/2: ${message}`]);
    expect(statuses).toEqual(["live"]);
  });

  it("that a proxy fails to open beside others are opened later, while those are read on [CONN-10]", async () => {
    let failures = 3;
    const request = refusesRounds((body) => body.includes(POISON) && failures-- > 0, { status: 502 });
    await using world = await behind({ request }, { transports: [transport] });
    const { client, server, statuses } = world;
    const first = client.channel("a", { since: "earliest" }).messages();
    await server.channel("a").publish(1);
    await first.next();
    const late = client.channel(POISON, { since: "earliest" }).messages();
    await server.channel(POISON).publish(2);
    expect((await late.next()).value).toMatchObject({ data: 2 });
    await server.channel("a").publish(3);
    expect((await first.next()).value).toMatchObject({ data: 3 });
    expect(statuses).toEqual(["live"]);
  });
});

it.each<TransportName>(["sse", "poll"])(
  "a proxy that refuses all of %s is left, and named as the reason",
  async (transport) => {
    await using world = await behind({ request: () => ({ status: 403 }) }, { transports: [transport] });
    world.client.channel("a").on("message", () => undefined);
    const reason = await new Promise((resolve) => world.client.on("state", (state) => resolve(state.reason)));
    expect(reason).toMatchObject({
      code: "offline",
      message: "HTTP status 403, not from a partyline server.",
    });
  },
);

describe.each<TransportName>(["ws", "sse", "poll"])("tabs that share a connection over %s", (transport) => {
  it("lose only the publish that something on the way refuses [CONN-8, CLOSE-3]", async ({ skip }) => {
    if (!globalThis.navigator?.locks) skip(`no Web Locks in Node ${process.versions.node}`);
    const refusals: Refusals = {
      request: refuses({ status: 403 }),
      frame: (data) => (data.includes(POISON) ? 1008 : undefined),
    };
    await using world = await behind(refusals, { transports: [transport], share: true });
    const { client, proxy, server } = world;
    await isLive(client);
    await using follower = createClient(proxy.url, { ...hasten, transports: [transport], share: true });
    await isLive(follower);
    expect([client, follower].map(({ state }) => state.shared)).toEqual(["leader", "follower"]);

    const room = follower.channel<string>("a");
    const published = [
      room.publish("first"),
      room.publish(POISON),
      client.channel<string>("a").publish("of the leader"),
      room.publish("next"),
      client.channel<string>("b").publish("other"),
    ];
    const outcomes = await Promise.allSettled(published);
    const [stored, lost] = ["fulfilled", "rejected"];
    expect(outcomes.map(({ status }) => status)).toEqual([stored, lost, stored, stored, stored]);
    expect(outcomes[1]).toMatchObject({ reason: { code: transport === "ws" ? "uncertain" : "refused" } });
    const { messages } = await server.channel<string>("a").history({ since: "earliest" });
    const own = messages.map(({ data }) => data).filter((data) => data !== "of the leader");
    expect([own, messages.length]).toEqual([["first", "next"], 3]);
  });
});

it.each<TransportName>(["sse", "poll"])(
  "a cache that answers each request over %s with an object at once is asked again until the server answers [CONN-12]",
  async (transport) => {
    let answers = 5;
    const object = { status: 200, headers: { "content-type": "application/json" }, body: "{}" };
    const request = (): OwnAnswer | undefined => (answers-- > 0 ? object : undefined);
    await using world = await behind({ request }, { transports: [transport] });
    await isLive(world.client);
    expect(answers).toBeLessThan(0);
  },
);

describe("a gateway that closes WebSockets over a large frame", () => {
  const LARGE = POISON.repeat(6_000);
  const closes = (code: number) => (data: string) => (data.length > 32 * 1024 ? code : undefined);

  it.each([1002, 1003, 1007, 1008, 1009, 1010])(
    "with %i makes the client deliver it over another transport, and everything else too [CLOSE-2, CLOSE-3]",
    async (code) => {
      await using world = await behind({ frame: closes(code) }, {});
      const { client, server } = world;
      const room = client.channel<string>("a");
      await isLive(client);
      expect(client.state.transport).toBe("ws");
      const all = [
        room.publish("first"),
        room.publish(LARGE),
        room.publish("next"),
        client.channel("b").publish(1),
      ];
      await Promise.all(all);
      expect(client.state).toMatchObject({ status: "live", transport: "sse" });
      const { messages } = await server.channel<string>("a").history({ since: "earliest" });
      expect(messages.map(({ data }) => data)).toEqual(["first", LARGE, "next"]);
    },
  );

  it("does not keep the client from the WebSocket, nor a second large publish from arriving [CLOSE-3]", async () => {
    await using world = await behind({ frame: closes(1009) }, { upgradeInterval: 100 });
    const { client, server } = world;
    const room = client.channel<string>("a");
    const isLiveOver = (transport: TransportName): Promise<void> =>
      new Promise((resolve) => {
        const check = (): void => void (client.state.transport === transport && resolve());
        client.on("state", check);
        check();
      });
    for (let n = 0; n < 2; n++) {
      await isLiveOver("ws");
      await room.publish(`${LARGE}${n}`);
    }
    await isLiveOver("ws");
    const { messages } = await server.channel<string>("a").history({ since: "earliest" });
    expect(messages.map(({ data }) => data)).toEqual([`${LARGE}0`, `${LARGE}1`]);
  });

  it.each([1008, 1009])(
    "with %i costs that publish alone where the client has no other transport [CLOSE-3, PUB-20]",
    async (code) => {
      await using world = await behind({ frame: closes(code) }, { transports: ["ws"] });
      const { client, server, proxy } = world;
      const room = client.channel<string>("a");
      await isLive(client);
      const all = [room.publish("first"), room.publish("second"), client.channel("b").publish(1)];
      const large = room.publish(LARGE);
      all.push(room.publish("next"), room.publish("last"));
      await expect(large).rejects.toMatchObject({
        code: "uncertain",
        cause: { code: "refused", message: expect.stringContaining(`${code}`) as string },
      });
      await Promise.all(all);
      const { messages } = await server.channel<string>("a").history({ since: "earliest" });
      expect(messages.map(({ data }) => data)).toEqual(["first", "second", "next", "last"]);
      expect(proxy.sockets).toBe(3);
    },
  );

  it("costs two such publishes where other transports are refused too [CLOSE-3]", async () => {
    await using world = await behind(
      { frame: closes(1009), request: () => ({ status: 403 }) },
      { fallbackDelay: 100 },
    );
    const { client, server } = world;
    const room = client.channel<string>("a");
    await isLive(client);
    const large = [room.publish(LARGE), room.publish("between"), room.publish(LARGE)];
    const settled = await Promise.allSettled(large);
    expect(settled.map(({ status }) => status)).toEqual(["rejected", "fulfilled", "rejected"]);
    await room.publish("last");
    const { messages } = await server.channel<string>("a").history({ since: "earliest" });
    expect(messages.map(({ data }) => data)).toEqual(["between", "last"]);
  });
});

describe("redirects", () => {
  it.each<TransportName>(["sse", "poll"])(
    "that turn the POST of %s into a GET are named, and tried again [CONN-8]",
    async (transport) => {
      let moved = true;
      const request = ({ method }: SeenRequest): OwnAnswer | undefined =>
        method === "POST" && moved ? { status: 301, headers: { location: "/elsewhere/connect" } } : undefined;
      await using world = await behind({ request }, { transports: [transport] });
      const { client, proxy } = world;
      const reason = await new Promise<string | undefined>((resolve) => {
        client.on("state", (state) => resolve(state.reason?.message));
      });
      expect(reason).toBe(
        `HTTP status 404 after a redirect to ${proxy.url}/elsewhere/connect, not from a partyline server.`,
      );
      moved = false;
      await isLive(client);
    },
  );

  it.each<TransportName>(["sse", "poll"])("that keep the POST of %s are followed", async (transport) => {
    const request = ({ path }: SeenRequest): OwnAnswer | undefined =>
      path === "/connect" ? { status: 307, headers: { location: "/connect?moved" } } : undefined;
    await using world = await behind({ request }, { transports: [transport] });
    await isLive(world.client);
    expect(await world.client.channel("a").publish(1)).toMatchObject({ duplicate: false });
  });
});
