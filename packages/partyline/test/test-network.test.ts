/** Networks for tests, in memory and over sockets alike. */
import { describe, expect, it } from "vitest";
import type { TransportName } from "../src/client/index.ts";
import { createTestNetwork, type TestNetwork, type TestNetworkOptions } from "../src/testing/test-network.ts";
import { read, say } from "./support/network-reader.ts";

const transports: TransportName[] = ["ws", "sse", "poll"];

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
      await net.until(ada.client.channel("a").publish("x".repeat(300)));
      await net.settled();
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
    await net.server.stop();
    expect(() => net.server.partyline).toThrow("does not run");
    await net.server.restart();
    await say(net, "after the deploy");
    await net.settled();
    expect(ada.told).toEqual(["after the deploy"]);
  });
});
