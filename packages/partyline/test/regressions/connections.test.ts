/** Bugs of others with connections that come and go. */
import fastify from "fastify";
import { describe, expect, it } from "vitest";
import { createMemoryBroker } from "../../src/brokers/memory/index.ts";
import type { Broker } from "../../src/core/ports.ts";
import { createPartyline } from "../../src/server.ts";
import { FOLLOWERS } from "../support/followers.ts";
import { silent, startLineRig } from "../support/line-rig.ts";
import { until } from "../support/until.ts";
import { Inbox } from "../transport/probe.ts";
import { openSocket } from "../transport/websocket-probes.ts";

/** A memory broker that takes a turn to follow a channel, and counts who follows. */
function countingBroker(): { broker: Broker; count: { open: number; ever: number } } {
  const count = { open: 0, ever: 0 };
  const memory = createMemoryBroker();
  const broker: Broker = {
    ...memory,
    async subscribe(spec, listener) {
      await new Promise((resolve) => setImmediate(resolve));
      const subscription = memory.subscribe(spec, listener);
      count.open++;
      count.ever++;
      return {
        head: subscription.head,
        close() {
          count.open--;
          subscription.close();
        },
      };
    },
  };
  return { broker, count };
}

describe.each(FOLLOWERS)("$name", ({ follow }) => {
  it("that has reconnected many times is one listener, here and at the broker (resumable-stream#48, resumable-stream#30)", async () => {
    const { broker, count } = countingBroker();
    await using rig = await startLineRig({ broker });
    {
      await using follower = follow({ url: rig.url, channel: "a" });
      await follower.opened;
      for (let time = 0; time < 10; time++) await rig.reattached(() => rig.line.cut());
      await rig.publish("one", "two");
      expect([await follower.next(), await follower.next(), follower.size]).toEqual(["one", "two", 0]);
      expect(count.open).toBeLessThanOrEqual(1);
      expect(rig.server.connections).toBeLessThanOrEqual(1);
    }
    await until(() => count.open === 0 && rig.server.connections === 0);
    expect(count.ever).toBeGreaterThan(0);
  });

  it("gets the last message of a channel though its connection was lost with it (resumable-stream#47)", async () => {
    await using rig = await startLineRig();
    await using follower = follow({ url: rig.url, channel: "a", since: "earliest" });
    await rig.publish("token");
    expect(await follower.next()).toBe("token");
    await rig.publish("done");
    // Before the turn ends in which it is written: the server writes it to a line that is dead, and nothing follows.
    rig.line.cut();
    expect(await follower.next()).toBe("done");
  });
});

describe("a storm of subscriptions", () => {
  it("leaves who stays with the channel, and the broker with one listener (Flowise#5884)", async () => {
    const { broker, count } = countingBroker();
    await using server = createPartyline({ broker, logger: silent });
    const { url } = await server.listen(0);
    const heard = new Inbox<string>();
    const attached = new Inbox<string>();
    const stays = await openSocket(`${url}/connect`, ["partyline.v1"], {}, (socket) =>
      socket.on("message", (data: Buffer) => {
        for (const line of data.toString().split("\n"))
          (line.startsWith('{"t":"m"') ? heard : attached).push(line);
      }),
    );
    stays.send('{"t":"hello","v":1}\n{"t":"attach","n":1,"channel":"a"}');
    expect([await attached.next(), await attached.next()]).toEqual([
      expect.stringContaining("welcome"),
      expect.stringContaining("attached"),
    ]);

    // Connections that attach and detach the channel, and others that come for it and are gone at once.
    const storm = await Promise.all(
      Array.from({ length: 20 }, () => openSocket(`${url}/connect`, ["partyline.v1"])),
    );
    for (const socket of storm) {
      socket.send('{"t":"hello","v":1}');
      const lines: string[] = [];
      for (let n = 0; n < 100; n++) {
        const channel = n % 3 ? "a" : "b";
        lines.push(`{"t":"attach","n":${2 * n + 1},"channel":"${channel}"}`);
        lines.push(`{"t":"detach","n":${2 * n + 2},"channel":"${channel}"}`);
      }
      socket.send(lines.join("\n"));
    }
    await server.channel("a").publish("in the middle of it");
    const gone = storm.map((socket) => new Promise((resolve) => socket.once("close", resolve)));
    for (const [index, socket] of storm.entries()) {
      if (index % 2) socket.terminate();
      else socket.close(1000);
    }
    await Promise.all(gone);
    await until(() => server.connections === 1);
    await server.channel("a").publish("after it");

    expect(await heard.next()).toContain("in the middle of it");
    expect(await heard.next()).toContain("after it");
    expect(server.counters().attached?.[""]).toBeGreaterThan(100);
    await until(() => count.open === 1);
    stays.terminate();
    await until(() => count.open === 0);
  });
});

describe("close() with open event streams", () => {
  it("ends them, and a host that waits for its connections ends too (fastify/sse#57)", async () => {
    const server = createPartyline({ logger: silent });
    const app = fastify();
    app.addHook("preClose", () => server.close());
    await app.ready();
    server.attach(app.server);
    const url = await app.listen({ port: 0, host: "127.0.0.1" });
    const accept = { accept: "text/event-stream" };
    const streams = await Promise.all([
      fetch(`${url}/channels/a`, { headers: accept }),
      fetch(`${url}/events?channel=a&channel=b`, { headers: accept }),
      fetch(`${url}/connect`, { method: "POST", headers: accept, body: '{"t":"hello","v":1}' }),
    ]);
    expect(streams.map(({ status }) => status)).toEqual([200, 200, 200]);
    const texts = streams.map((stream) => stream.text());
    await app.close();
    for (const text of await Promise.all(texts)) expect(text).toContain('"code":"draining"');
  });
});
