/** What only networks in memory do: time that passes when it is told to, and chance that is the same again. */
import { describe, expect, it } from "vitest";
import { createMemoryBroker } from "../src/brokers/memory/index.ts";
import type { TransportName } from "../src/client/index.ts";
import type { Clock } from "../src/core/ports.ts";
import { hostOf } from "../src/testing/network/test-server.ts";
import { createTestNetwork, type TrimmableBroker } from "../src/testing/test-network.ts";
import { read, say } from "./support/network-reader.ts";

const transports: TransportName[] = ["ws", "sse", "poll"];

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

  it("keeps a client that polls for longer than the server lets a poll wait [CONN-2]", async () => {
    await using net = await createTestNetwork({ limits: { waitSeconds: 5 } });
    const { told, client } = await read(net, { transports: ["poll"] });
    await net.advance(60_000);
    await say(net, "still there");
    await net.settled();
    expect([client.state.status, told]).toEqual(["live", ["still there"]]);
  });

  it("keeps one stream where the client asks early, because the server speaks before that [LIVE-6]", async () => {
    await using net = await createTestNetwork();
    await read(net, { transports: ["sse"], pingInterval: 5_000 });
    await net.settled();
    const { closed } = net.server.partyline.counters();
    await net.advance(5 * 60_000);
    expect(net.server.partyline.counters().closed).toEqual(closed);
  });

  it("reads on where the connection before had just asked again when the next one took over [READ-3]", async () => {
    await using net = await createTestNetwork();
    const ada = await net.client({ transports: ["poll", "sse"] });
    await net.settled();
    ada.line.buffer("down");
    const told: unknown[] = [];
    ada.channel("a", { since: "now" }).on("message", ({ data }) => told.push(data));
    await net.advance(100);
    for (const n of [1, 2, 3]) {
      await net.server.channel("a").publish(n);
      await net.advance(1);
    }
    // It asks from now on too, which is later than what the poll is about to bring, and is answered later.
    ada.line.delay(20, "down");
    const switched = ada.switchTransport("sse");
    await net.advance(1);
    ada.line.mend();
    // The poll that follows is answered later still.
    ada.line.delay(100, "down");
    await net.until(switched);
    await net.settled();
    expect([told, ada.state.transport]).toEqual([[1, 2, 3], "sse"]);
  });

  it.each(transports.filter((name) => name !== "poll"))(
    "reads a channel that is opened again from its beginning while the next connection over %s opens",
    async (transport) => {
      await using net = await createTestNetwork();
      const ada = await net.client({ transports: ["poll", transport] });
      for (const n of [1, 2]) await net.server.channel("a").publish(n);
      const before = ada.channel("a", { since: "now" });
      before.on("message", () => undefined);
      await net.settled();
      ada.line.delay(50, "down");
      const switched = ada.switchTransport(transport);
      await net.advance(1);
      // The connection that opens has asked for the reader that is closed now.
      before.close();
      const told: unknown[] = [];
      ada.channel("a", { since: "earliest" }).on("message", ({ data }) => told.push(data));
      await net.until(switched);
      ada.line.mend();
      await net.settled();
      await net.server.channel("a").publish(3);
      await net.settled();
      expect([told, ada.state.transport]).toEqual([[1, 2, 3], transport]);
    },
  );

  it("stands still with a server that is stopped, which goes on with all that came meanwhile", async () => {
    await using net = await createTestNetwork();
    const { client, told } = await read(net);
    await net.settled();
    hostOf(net.server).halt();
    const sent = client.channel("a").publish("meanwhile");
    await net.advance(5_000);
    expect([told, client.channel("a").pending.length]).toEqual([[], 1]);
    hostOf(net.server).goOn();
    await net.advance(0);
    expect(told).toEqual(["meanwhile"]);
    expect(await sent).toMatchObject({ duplicate: false });
  });

  it("ends a server that is stopped as any other", async () => {
    await using net = await createTestNetwork({ past: "kept" });
    const { client } = await read(net);
    await net.settled();
    hostOf(net.server).halt();
    net.server.crash();
    await net.advance(0);
    expect(client.state.status).toBe("reconnecting");
    await net.server.restart();
    await net.settled();
    expect(client.state.status).toBe("live");
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

  it("never goes back in time, also where two let it pass at once", async () => {
    await using net = await createTestNetwork();
    const times: number[] = [];
    const look = (): void => {
      times.push(net.now());
      net.clock.setTimer(look, 7);
    };
    look();
    await Promise.all([net.advance(100), net.advance(10), net.until(net.advance(50))]);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(net.now() - (times[0] ?? 0)).toBeGreaterThanOrEqual(100);
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
      "Not settled within 10 minutes of the network's time: a is not attached.",
    );
  });

  it("says what is not answered, and passes refusals on", async () => {
    await using net = await createTestNetwork();
    await expect(net.until(new Promise(() => undefined))).rejects.toThrow("Not answered within 10 minutes");
    await expect(net.until(Promise.reject(new Error("no")))).rejects.toThrow("no");
  });

  it("ends a server in good order whose clients are gone in silence", async () => {
    await using net = await createTestNetwork();
    const ada = await read(net);
    ada.client.line.blackhole();
    const before = net.now();
    await net.server.stop();
    expect(net.now() - before).toBeLessThan(10_000);
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
      authenticate: ({ token }) =>
        outside({ grants: { allows: (action) => action === "subscribe" || token === "ada" } }),
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
      authenticate: () =>
        new Promise((resolve) => {
          clock.current?.setTimer(() => resolve({ grants: { allows: () => true } }), 1_000);
        }),
    });
    clock.current = net.clock;
    const ada = await net.client();
    await net.settled();
    expect(ada.state).toMatchObject({ status: "live", transport: "ws" });
  });
});
