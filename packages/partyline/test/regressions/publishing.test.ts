/** Bugs of others in what a client sends: too early, twice, or into a connection that is being replaced. */
import { describe, expect, it, vi } from "vitest";
import { createMemoryBroker } from "../../src/brokers/memory/index.ts";
import { createClient, type ClientOptions, type TransportName } from "../../src/client/index.ts";
import type { Broker } from "../../src/core/ports.ts";
import type { Partyline } from "../../src/server.ts";
import { startLineRig } from "../support/line-rig.ts";
import { until } from "../support/until.ts";
import { deferred } from "../transport/probe.ts";

const TRANSPORTS: TransportName[] = ["ws", "sse", "poll"];

function connect(url: string, transport: TransportName, options: ClientOptions = {}) {
  return createClient(url, { transports: [transport], baseDelay: 1, maxDelay: 20, ...options });
}

async function stored(server: Partyline): Promise<unknown[]> {
  const { messages } = await server.channel("a").history({ since: "earliest", limit: 1_000 });
  return messages.map(({ data }) => data);
}

/** A memory broker whose appends wait for `release`. */
function heldBroker() {
  const memory = createMemoryBroker();
  const released = deferred<void>();
  const asked = deferred<void>();
  const broker: Broker = {
    ...memory,
    async append(spec, messages) {
      asked.resolve();
      await released.promise;
      return memory.append(spec, messages);
    },
  };
  return { broker, asked: asked.promise, release: () => released.resolve() };
}

describe.each(TRANSPORTS)("over %s", (transport) => {
  it("the first frame waits for the token, and what follows it for the server's word (trpc#6547)", async () => {
    const shown: (string | undefined)[] = [];
    const decided = deferred<void>();
    await using rig = await startLineRig({
      async authenticate({ token }) {
        shown.push(token);
        await decided.promise;
        return { grants: { allows: () => token === "the token" } };
      },
    });
    const token = deferred<string>();
    await using client = connect(rig.url, transport, { token: () => token.promise });
    const channel = client.channel<string>("a", { since: "earliest" });
    const messages = channel.messages();
    const published = channel.publish("hello");
    await until(() => channel.pending.length === 1);
    expect([rig.line.connections, shown]).toEqual([0, []]);

    token.resolve("the token");
    await until(() => shown.length > 0);
    expect(await stored(rig.server)).toEqual([]);
    decided.resolve();
    await published;
    expect((await messages.next()).value).toMatchObject({ data: "hello" });
    expect(new Set(shown)).toEqual(new Set(["the token"]));
  });

  it("what is sent while the connection is replaced arrives, once and in order (partysocket 2026-06)", async () => {
    await using rig = await startLineRig();
    await using client = connect(rig.url, transport);
    const channel = client.channel<number>("a");
    await channel.publish(0);
    const publishes: Promise<unknown>[] = [];
    // On its way, lost with its connection, without one, while one is opened, and on the new one.
    publishes.push(channel.publish(1));
    rig.line.unplug();
    publishes.push(channel.publish(2));
    await until(() => client.state.status === "reconnecting");
    publishes.push(channel.publish(3));
    rig.line.mend();
    publishes.push(channel.publish(4));
    await until(() => rig.line.connections > 0);
    publishes.push(channel.publish(5));
    await until(() => client.state.status === "live");
    publishes.push(channel.publish(6));
    await Promise.all(publishes);
    expect(await stored(rig.server)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it("what is sent while another transport takes over arrives, once and in order (partysocket 2026-06)", async () => {
    await using rig = await startLineRig();
    await using client = createClient(rig.url, { transports: TRANSPORTS, baseDelay: 1 });
    const channel = client.channel<number>("a");
    await channel.publish(0);
    const publishes = [channel.publish(1)];
    const change = client.switchTransport(transport);
    for (let n = 2; n < 100; n++) {
      publishes.push(channel.publish(n));
      if (n % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all([change, ...publishes]);
    expect(client.state.transport).toBe(transport);
    expect(await stored(rig.server)).toEqual(Array.from({ length: 100 }, (_, n) => n));
  });

  it("a page that is hidden and shown again sends nothing twice, and keeps its connection (fetch-event-source#36)", async () => {
    const page = new EventTarget();
    vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
    vi.stubGlobal("removeEventListener", page.removeEventListener.bind(page));
    vi.stubGlobal("document", page);
    const { broker, asked, release } = heldBroker();
    await using rig = await startLineRig({ broker });
    const bodies: string[] = [];
    await using client = connect(rig.url, transport, {
      fetch(input, init) {
        bodies.push(typeof init?.body === "string" ? init.body : "");
        return fetch(input, init);
      },
    });
    const states = new Set<string>();
    client.on("state", ({ status }) => states.add(status));
    const channel = client.channel<string>("a");
    const published = channel.publish("this costs money");
    await asked;
    for (const event of ["visibilitychange", "freeze", "resume", "visibilitychange"])
      page.dispatchEvent(new Event(event));
    for (const event of ["offline", "online"]) page.dispatchEvent(new Event(event));
    release();
    expect(await published).toMatchObject({ duplicate: false });
    await channel.publish("and goes on");
    expect(bodies.filter((body) => body.includes("this costs money"))).toHaveLength(
      transport === "ws" ? 0 : 1,
    );
    expect([[...states], rig.server.counters().duplicates, await stored(rig.server)]).toEqual([
      ["live", "suspect"],
      undefined,
      ["this costs money", "and goes on"],
    ]);
  });
});
