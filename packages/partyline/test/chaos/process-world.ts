/** A real server in a process of its own, clients in this one, TCP on loopback between them, and real time. */
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket as NodeWebSocket } from "ws";
import { createClient } from "../../src/client/index.ts";
import { type NetworkLine, openLine } from "../../src/testing/network-line.ts";
import { type BrokerProcess, startBrokerProcess } from "../support/broker-process/index.ts";
import { troubleLine } from "./disturb.ts";
import { type Setup, spell } from "./history.ts";
import type { Worlds } from "./run.ts";
import { type ServerProcess, startServerProcess } from "./server/process.ts";
import type { World, WorldClient } from "./world.ts";

/** Worlds of processes; pasts outlive their servers in one process that all share. */
export async function openProcessWorlds(): Promise<Worlds> {
  const held = startBrokerProcess();
  return {
    name: "processes",
    open: ({ setup }) => openProcessWorld(setup, held),
    [Symbol.asyncDispose]: () => held[Symbol.asyncDispose](),
  };
}

/** The network of this process; its own `WebSocket` cannot say of which origin it is. */
const NETWORK = { fetch, WebSocket: NodeWebSocket as unknown as typeof WebSocket };

let pasts = 0;

async function openProcessWorld({ broker, servers }: Setup, held: BrokerProcess): Promise<World> {
  const lines: NetworkLine[] = [];
  /** Those that lead to the first server. */
  const toFirst = new Set<NetworkLine>();
  const clients: WorldClient[] = [];
  /** Servers that are being left. */
  const draining = new Set<ServerProcess>();
  let past = `world ${++pasts}`;
  let ahead = 0;
  let furthest = 0;
  /** A new past begins no earlier than an old one ended: that a machine's clock goes back *and* all is lost is not meant. */
  let least = -Infinity;
  let server: ServerProcess | undefined;
  let stopped = false;

  const outlives = broker === "outliving";
  const startServer = async (): Promise<ServerProcess> =>
    startServerProcess({ ahead, ...(outlives ? { past: await held.open(past) } : {}) });
  const begin = async (): Promise<void> => {
    server = await startServer();
    for (const line of toFirst) line.leadTo(server.port);
  };
  const running = (): ServerProcess => {
    if (!server) throw new Error("The server does not run.");
    return server;
  };
  const advance = async (ms: number): Promise<void> => {
    if (outlives) await held.advance(past, ms);
    await running().ask.jump(ms);
  };
  const gone = (): void => {
    server = undefined;
    stopped = false;
  };
  await begin();
  const second = servers === 2 ? await startServer() : undefined;

  return {
    name: "processes",
    pass: (ms) => sleep(ms),
    after: (ms) => sleep(ms),
    async openClient(options, surroundings) {
      const line = await openLine(server?.port ?? 1);
      lines.push(line);
      toFirst.add(line);
      const url = `http://127.0.0.1:${line.port}`;
      const opened: WorldClient = {
        // All tabs would be in this process, where none can be killed.
        client: createClient(url, { ...options, ...surroundings?.through(NETWORK), share: false }),
        url,
        fetch,
        ...troubleLine(line, surroundings?.uplink),
        lead(to) {
          if (!second) return false;
          if (to === "first") toFirst.add(line);
          else toFirst.delete(line);
          const target = to === "first" ? server : second;
          // Where the first one does not run, the line is led to it when it does.
          if (target) line.leadTo(target.port);
          return true;
        },
      };
      clients.push(opened);
      return opened;
    },
    get running() {
      return server !== undefined;
    },
    get stopped() {
      return stopped;
    },
    async kill() {
      const killed = running();
      gone();
      await killed.kill();
    },
    async close() {
      const closed = running();
      gone();
      await closed.ask.close();
      await closed.kill();
    },
    async drain() {
      if (!outlives) return false;
      const old = running();
      await begin();
      draining.add(old);
      const ended = async (): Promise<void> => {
        draining.delete(old);
        await old.kill();
      };
      // Where the world ends before.
      old.ask.drain().then(ended, ended);
      return true;
    },
    async start(keep) {
      // As long as others are on the broker it goes on.
      const kept = (keep || second !== undefined || draining.size > 0) && outlives;
      if (!kept) {
        past = `world ${++pasts}`;
        ahead = least = furthest;
      }
      await begin();
      if (!kept && outlives && ahead !== 0) await advance(ahead);
      return kept;
    },
    stop() {
      running().signal("SIGSTOP");
      stopped = true;
    },
    continue() {
      running().signal("SIGCONT");
      stopped = false;
    },
    get server() {
      return running();
    },
    channel: (name, spelling) => ({
      name,
      publish: (data, options) => running().ask.publish(spell(name, spelling), data, options),
    }),
    async jump(ms) {
      const before = ahead;
      ahead = Math.max(least, ahead + ms);
      furthest = Math.max(furthest, ahead);
      await advance(ahead - before);
    },
    forget: (name) => (outlives ? held.forget(past, name) : running().ask.forget(name)),
    trouble: (name, times, trouble) => running().ask.trouble(name, times, trouble),
    ends: (name) => running().ask.ends(name),
    async [Symbol.asyncDispose]() {
      for (const { client } of clients) await client.close();
      for (const line of lines) await line.close();
      for (const each of [server, second, ...draining]) await each?.kill();
    },
  };
}
