import { describe, expect, it } from "vitest";
import type { Clock } from "../core/ports.ts";
import { createMemoryBroker } from "../brokers/memory/index.ts";
import type { ChannelGap, TransportName } from "../client/index.ts";
import {
  createTestNetwork,
  type TestNetwork,
  type TestNetworkOptions,
  type TrimmableBroker,
} from "./test-network.ts";
import type { TestClient, TestClientOptions } from "./network/test-client.ts";

const transports: TransportName[] = ["ws", "sse", "poll"];

/** Whatever a reader of the channel `a` is told, one after the other. */
interface Reader {
  readonly client: TestClient;
  /** Data of messages, and the reasons of gaps. */
  readonly told: unknown[];
  readonly gaps: ChannelGap[];
}

async function read(net: TestNetwork, options?: TestClientOptions): Promise<Reader> {
  const client = await net.client(options);
  const reader: Reader = { client, told: [], gaps: [] };
  const channel = client.channel("a", { since: "earliest", onGap: "continue" });
  channel.on("message", ({ data }) => reader.told.push(data));
  channel.on("gap", (gap) => {
    reader.told.push(gap.reason);
    reader.gaps.push(gap);
  });
  await net.settled();
  return reader;
}

const say = (net: TestNetwork, text: string): Promise<unknown> => net.server.channel("a").publish(text);

describe.each(["memory", "sockets"] as const)("a test network of %s", (mode) => {
  const create = (options?: TestNetworkOptions): Promise<TestNetwork> =>
    createTestNetwork({ mode, ...options });

  describe.each(transports)("with a client over %s", (transport) => {
    it("carries messages both ways", async () => {
      await using net = await create();
      const ada = await read(net, { transports: [transport] });
      await say(net, "down");
      await ada.client.channel("a").publish("up");
      await net.settled();
      expect(ada.told).toEqual(["down", "up"]);
      expect(ada.client.state).toMatchObject({ status: "live", transport });
    });

    it("settles after a cut when the client is back and level", async () => {
      await using net = await create();
      const ada = await read(net, { transports: [transport] });
      for (const text of ["one", "two", "three"]) {
        net.cut();
        await say(net, text);
        await net.settled();
        expect(ada.told.at(-1)).toBe(text);
      }
      expect(ada.told).toEqual(["one", "two", "three"]);
    });

    it("lets nothing through while it is unplugged, and everything after", async () => {
      await using net = await create();
      const ada = await read(net, { transports: [transport] });
      const grace = await read(net);
      ada.client.line.unplug();
      await say(net, "meanwhile");
      const unsent = ada.client.channel("a").publish("unsent");
      await net.settled();
      expect([ada.told, grace.told]).toEqual([[], ["meanwhile"]]);
      ada.client.line.mend();
      await net.settled();
      await unsent;
      expect(ada.told).toEqual(["meanwhile", "unsent"]);
      expect(grace.told).toEqual(ada.told);
    });

    it("loses in a trim what a client has not read, which is told exactly that", async () => {
      await using net = await create();
      const ada = await read(net, { transports: [transport] });
      // Without a trim the server itself would still have it, because somebody reads.
      await read(net);
      await say(net, "one");
      await net.settled();
      ada.client.line.unplug();
      await say(net, "two");
      await say(net, "three");
      net.trim("a");
      ada.client.line.mend();
      await net.settled();
      await say(net, "four");
      await net.settled();
      expect(ada.told).toEqual(["one", "retention", "four"]);
      expect(ada.gaps[0]?.lost).toBe(2);
    });

    it("has a server that loses its past in a crash", async () => {
      await using net = await create();
      const ada = await read(net, { transports: [transport] });
      await say(net, "old");
      await net.settled();
      net.server.crash();
      await net.server.restart();
      await say(net, "new");
      await net.settled();
      expect(ada.told).toEqual(["old", "epoch", "new"]);
    });

    it("has a server that keeps its past in a crash, and stores once what was on its way", async () => {
      await using net = await create({ past: "kept" });
      const ada = await read(net, { transports: [transport] });
      await say(net, "old");
      net.server.crash();
      const publishes = ["one", "two"].map((text) => ada.client.channel("a").publish(text));
      await net.server.restart();
      await net.settled();
      await Promise.all(publishes);
      expect(ada.told).toEqual(["old", "one", "two"]);
    });

    it("ends connections that nobody answers", async () => {
      await using net = await create();
      const quick = { transports: [transport], pingInterval: 100, pongTimeout: 100 };
      const ada = await read(net, quick);
      ada.client.line.blackhole();
      await net.advance(400);
      expect(ada.client.state.status).toBe("reconnecting");
      ada.client.line.mend();
      await say(net, "after the hole");
      await net.settled();
      expect(ada.told).toEqual(["after the hole"]);
    });

    it("carries bytes that are split, late and few", async () => {
      await using net = await create();
      const ada = await read(net, { transports: [transport] });
      net.split(3);
      net.delay(1);
      net.throttle(1_000_000);
      const published = ada.client.channel("a").publish("x".repeat(300));
      await net.settled();
      await published;
      expect(ada.told).toEqual(["x".repeat(300)]);
    });
  });

  it("holds back what the server says until it is mended", async () => {
    await using net = await create();
    const ada = await read(net);
    ada.client.line.buffer();
    await say(net, "later");
    await net.settled();
    expect(ada.told).toEqual([]);
    ada.client.line.mend();
    await net.settled();
    expect(ada.told).toEqual(["later"]);
  });

  it("has lines that know no WebSockets", async () => {
    await using net = await create();
    const ada = await net.client();
    ada.line.stripUpgrade();
    ada.line.cut();
    await net.settled();
    expect(ada.state).toMatchObject({ status: "live", transport: "sse" });
  });

  it("has lines that end one way alone", async () => {
    await using net = await create();
    const ada = await read(net);
    ada.client.line.halfClose();
    await say(net, "on another connection");
    await net.settled();
    expect(ada.told).toEqual(["on another connection"]);
  });

  it("leads clients from one server to another over one broker", async () => {
    await using net = await create();
    const second = await net.addServer();
    const ada = await read(net);
    const grace = await read(net, { server: second });
    await say(net, "one");
    ada.client.line.leadTo(second);
    ada.client.line.cut();
    await net.settled();
    net.server.crash();
    await second.channel("a").publish("two");
    await net.settled();
    expect(ada.told).toEqual(["one", "two"]);
    expect(grace.told).toEqual(ada.told);
    expect(second.partyline.connections).toBe(2);
  });

  it("ends a channel's life on request", async () => {
    await using net = await create();
    const ada = await read(net);
    await say(net, "old");
    await net.settled();
    net.forget("a");
    await say(net, "new");
    await net.settled();
    expect(ada.told).toEqual(["old", "epoch", "new"]);
  });

  it("stops a server in good order and starts it again", async () => {
    await using net = await create({ past: "kept" });
    const ada = await read(net);
    const stopped = net.server.stop();
    await net.advance(10);
    await stopped;
    expect(() => net.server.partyline).toThrow("does not run");
    await net.server.restart();
    await say(net, "after the deploy");
    await net.settled();
    expect(ada.told).toEqual(["after the deploy"]);
  });
});

describe("a test network in memory", () => {
  it("lets five quiet minutes pass in which clients stay connected", async () => {
    await using net = await createTestNetwork();
    const readers = [];
    for (const transport of transports) readers.push(await read(net, { transports: [transport] }));
    const [states, before] = [readers.map(({ client }) => client.state), net.now()];
    await net.advance(5 * 60_000);
    expect(net.now() - before).toBe(5 * 60_000);
    await say(net, "still there");
    await net.settled();
    expect(readers.map(({ told }) => told)).toEqual(transports.map(() => ["still there"]));
    expect(readers.map(({ client }) => client.state)).toEqual(states);
  });

  it("passes no time where none is needed", async () => {
    await using net = await createTestNetwork();
    const ada = await read(net);
    const before = net.now();
    await ada.client.channel("a").publish(1);
    await net.settled();
    expect(net.now()).toBe(before);
  });

  it("is the same for the same seed, and another for another", async () => {
    const history = async (seed: number): Promise<unknown[]> => {
      await using net = await createTestNetwork({ seed });
      const events: unknown[] = [];
      const publishes: Promise<unknown>[] = [];
      for (const transport of transports) {
        const { client } = await read(net, { transports: [transport] });
        client.on("state", ({ status, since }) => events.push([transport, status, since]));
        client.channel("a").on("message", ({ position, id }) => events.push([transport, position, id]));
        client.channel("a").on("mark", (mark) => events.push([transport, mark]));
        publishes.push(client.channel("a").publish(transport));
      }
      net.cut();
      await net.advance(60_000);
      await Promise.all(publishes);
      return events;
    };
    const [one, again, other] = [await history(1), await history(1), await history(2)];
    expect(one.length).toBeGreaterThan(20);
    expect(again).toEqual(one);
    expect(other).not.toEqual(one);
  });

  it("keeps the timers of an application on its own clock", async () => {
    await using net = await createTestNetwork();
    const ada = await read(net);
    const tick = (): void => {
      void say(net, "tick");
      net.clock.setTimer(tick, 1_000);
    };
    net.clock.setTimer(tick, 1_000);
    await net.advance(3_000);
    expect(ada.told).toEqual(["tick", "tick", "tick"]);
  });

  it("says what does not settle", async () => {
    await using net = await createTestNetwork({
      broker(world) {
        const broker = createMemoryBroker(world);
        return { ...broker, subscribe: () => new Promise(() => undefined) };
      },
    });
    await expect(read(net)).rejects.toThrow(
      "Not settled within 120 s of the network's time: a is not attached.",
    );
  });

  it("says what a broker can't do, and which server does not run", async () => {
    await using net = await createTestNetwork({
      broker(world) {
        const broker: TrimmableBroker = createMemoryBroker(world);
        delete broker.trim;
        return broker;
      },
    });
    expect(() => net.trim("a")).toThrow("The broker of this network has no trim().");
    net.server.crash();
    expect(() => net.server.crash()).toThrow("The server does not run");
    await net.server.restart();
    await expect(net.server.restart()).rejects.toThrow("The server runs");
  });

  it("waits for answers that are made outside of it, which take none of its time", async () => {
    const outside = <T>(value: T): Promise<T> =>
      new Promise((resolve) => setTimeout(() => resolve(value), 5));
    await using net = await createTestNetwork({
      authenticator: {
        authenticate: ({ token }) =>
          outside({ allows: (action) => action === "subscribe" || token === "ada" }),
      },
    });
    const before = net.now();
    const ada = await net.client({ token: () => outside("ada") });
    const eve = await net.client({ token: "eve" });
    await net.settled();
    await ada.channel("a").publish(1);
    await expect(eve.channel("a").publish(2)).rejects.toMatchObject({ code: "forbidden" });
    expect(net.now()).toBe(before);
  });

  it("lets time pass for an answer that needs it", async () => {
    const clock: { current?: Clock } = {};
    await using net = await createTestNetwork({
      authenticator: {
        authenticate: () =>
          new Promise((resolve) => {
            clock.current?.setTimer(() => resolve({ allows: () => true }), 1_000);
          }),
      },
    });
    clock.current = net.clock;
    const ada = await net.client();
    await net.settled();
    expect(ada.state).toMatchObject({ status: "live", transport: "ws" });
  });
});
