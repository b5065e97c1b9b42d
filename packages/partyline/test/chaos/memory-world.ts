/** Server, clients and the network between them in this process, in virtual time: a seed plays the same each time. */
import { createMemoryBroker, type MemoryBroker } from "../../src/brokers/memory/index.ts";
import type { Broker } from "../../src/core/ports.ts";
import { deferred } from "../transport/probe.ts";
import type { PlacedClientOptions, TestLine } from "../../src/testing/network/test-client.ts";
import { hostOf } from "../../src/testing/network/test-server.ts";
import { createTestNetwork } from "../../src/testing/test-network.ts";
import { createBrowser, type TabProcess } from "./browser.ts";
import { readEnd, SERVER_OPTIONS } from "./chaos-server.ts";
import { troubleLine } from "./disturb.ts";
import { createFarBroker } from "./far-broker.ts";
import { type Setup, spell } from "./history.ts";
import { createChaosAuthenticate } from "./kinds/tokens.ts";
import type { Worlds } from "./run.ts";
import { createTroubledBroker, type TroubledBroker } from "./trouble.ts";
import { DRAIN, type Tab, type World } from "./world.ts";

export const memoryWorlds: Worlds = {
  name: "memory",
  open: ({ setup, seed }) => openMemoryWorld(setup, seed),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

/** Ms to a broker that outlives the server, one way. */
const DISTANCE = 2;

/** A process has its connections: what comes to one that is frozen waits, and one that is gone has none. */
function createTab(tab: TabProcess, line: TestLine): Tab {
  return {
    get frozen() {
      return tab.frozen;
    },
    kill() {
      tab.kill();
      line.unplug();
    },
    freeze() {
      tab.freeze();
      line.buffer("up");
      line.buffer("down");
    },
    thaw() {
      line.mend();
      tab.thaw();
    },
  };
}

async function openMemoryWorld({ broker: kind, servers }: Setup, seed: number): Promise<World> {
  let ahead = 0;
  let furthest = 0;
  /** A new past begins no earlier than an old one ended: that clocks go back *and* all is lost is not meant. */
  let least = -Infinity;
  let past: { readonly memory: MemoryBroker; readonly troubled: TroubledBroker } | undefined;
  /** Told to what waits for a server that is gone. */
  let gone = deferred<never>();

  const net = await createTestNetwork({
    ...SERVER_OPTIONS,
    authenticate: createChaosAuthenticate((ms) => after(ms)),
    seed,
    past: "lost",
    broker({ now, random }) {
      const memory = createMemoryBroker({ now: () => now() + ahead, random });
      past ??= { memory, troubled: createTroubledBroker(memory) };
      // The network closes it when its server ends: whether it is to be lost is decided when the next one starts.
      const { broker } = past.troubled;
      const held: Broker = { ...broker, close: () => undefined };
      const reached = kind === "own" ? held : createFarBroker(held, () => after(DISTANCE));
      return { ...reached, forget: (name) => past?.memory.forget(name) };
    },
  });
  const browser = createBrowser(net.clock);
  let { server } = net;
  const second = servers === 2 ? await net.addServer() : undefined;
  /** Lines that lead to the first server. */
  const toFirst = new Set<TestLine>();
  /** Those that are being left. */
  let draining = 0;
  let running = true;

  function after(ms: number): Promise<void> {
    return new Promise((resolve) => void net.clock.setTimer(resolve, ms));
  }
  /** Lets time pass until it is done. */
  const drive = async <T>(act: Promise<T>): Promise<T> => {
    let over = false;
    const ended = act.finally(() => (over = true));
    ended.catch(() => undefined);
    while (!over) await net.advance(1);
    return ended;
  };
  /** Tells whoever waits for the first server when it is gone, and that another one will be the first. */
  const leave = (): (() => void) => {
    const left = gone;
    left.promise.catch(() => undefined);
    gone = deferred();
    return () => left.reject(new Error("The server is gone."));
  };
  const end = (): void => {
    running = false;
    leave()();
  };
  /** Ends the timer of the broker, which holds everything that the world has made. */
  const closePast = (): void => {
    past?.memory.close();
    past = undefined;
  };

  return {
    name: "memory",
    pass: (ms) => net.advance(ms),
    after,
    async openClient(options, surroundings) {
      const { isOnline, uplink, through } = surroundings ?? {};
      const tab = options.share ? browser.openTab() : undefined;
      const page = tab?.page ?? (isOnline && { ...browser.openTab().page, isOnline });
      const placed: PlacedClientOptions = { ...options, server, page, through };
      const client = await net.client(placed);
      const { line } = client;
      toFirst.add(line);
      return {
        client,
        url: line.url,
        fetch: line.fetch,
        ...troubleLine(line, uplink),
        ...(tab && { tab: createTab(tab, line) }),
        lead(to) {
          const target = to === "first" ? server : second;
          if (!target) return false;
          if (to === "first") toFirst.add(line);
          else toFirst.delete(line);
          line.leadTo(target);
          return true;
        },
      };
    },
    get running() {
      return running;
    },
    get stopped() {
      return hostOf(server).stopped;
    },
    async kill() {
      server.crash();
      end();
    },
    async close() {
      await drive(server.stop());
      end();
    },
    async drain() {
      if (kind !== "outliving") return false;
      const old = server;
      server = await net.addServer();
      for (const line of toFirst) line.leadTo(server);
      draining++;
      const ended = leave();
      void old.partyline.drain(DRAIN).then(() => {
        draining--;
        hostOf(old).end();
        ended();
      });
      return true;
    },
    async start(keep) {
      // As long as others are on the broker it goes on.
      const kept = (keep || second !== undefined || draining > 0) && kind === "outliving";
      if (!kept) {
        closePast();
        ahead = least = furthest;
      }
      await server.restart();
      running = true;
      return kept;
    },
    stop: () => hostOf(server).halt(),
    continue: () => hostOf(server).goOn(),
    get server() {
      return server;
    },
    channel: (name, spelling) => ({
      name,
      publish: (data, options) =>
        Promise.race([server.channel(spell(name, spelling)).publish(data, options), gone.promise]),
    }),
    async jump(ms) {
      ahead = Math.max(least, ahead + ms);
      furthest = Math.max(furthest, ahead);
    },
    async forget(name) {
      past?.memory.forget(name);
    },
    async trouble(name, times, trouble) {
      past?.troubled.add(name, times, trouble);
    },
    ends: (name) => drive(readEnd(server.partyline, name)),
    async [Symbol.asyncDispose]() {
      await net.close();
      closePast();
    },
  };
}
