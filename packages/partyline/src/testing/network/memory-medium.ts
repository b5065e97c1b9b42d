import type { Duplex } from "node:stream";
import { createClientIn, type World as ClientWorld } from "../../client/create-client.ts";
import { createKeeper, type Keeper, type KeeperPlace, type KeeperRequest } from "../../client/keeper.ts";
import { globalRuntime, type Runtime } from "../../client/runtime.ts";
import { share } from "../../client/share/share.ts";
import { openPoll } from "../../client/transports/poll.ts";
import { openSse } from "../../client/transports/sse.ts";
import { openWebSocket } from "../../client/transports/ws.ts";
import type { Clock } from "../../core/ports.ts";
import { createFaults } from "../line/faults.ts";
import { Relay } from "../line/relay.ts";
import { createStreamPair } from "../line/stream-pair.ts";
import { createVirtualClock } from "../virtual-clock.ts";
import type { Medium, MediumLine } from "./medium.ts";
import { createFetch } from "./memory-fetch.ts";
import { createWebSocketClass } from "./memory-websocket.ts";
import type { ClientPage } from "./page.ts";
import { createQuiet } from "./quiet.ts";
import { createRandom, randomBytes } from "./random.ts";
import type { ServerHost } from "./test-server.ts";

/** Where servers are in memory. */
export const MEMORY_HOST = "partyline.test";

/** When virtual time begins, ms since 1970. */
const BEGINNING = Date.UTC(2030, 0, 1);

/** Longest that is let pass for something to come, ms: dead connections are noticed by then, and servers drained. */
const PATIENCE = 600_000;
const WAITED = "10 minutes of the network's time";

// At hand, not loaded when they are needed: that would take a time of its own.
const transports = { ws: () => openWebSocket, sse: () => openSse, poll: () => openPoll };

/** A client in memory has no page that sleeps or keeps something. */
const nowhere: KeeperPlace = { watch: () => () => undefined, note: () => undefined };
const keeper = async (request: KeeperRequest): Promise<Keeper> => createKeeper(request, nowhere);

/** Real protocol over bytes in memory, in virtual time: the same seed, the same history. */
export function createMemoryMedium(seed: number): Medium {
  const time = createVirtualClock();
  const quiet = createQuiet();
  const clock = quiet.clock(time);
  const random = createRandom(seed);

  /** Lets timers fire, one after the other, until it is so; false where that does not come. */
  const passUntil = async (isSo: () => Promise<boolean>): Promise<boolean> => {
    const end = clock.now() + PATIENCE;
    await quiet.settled();
    while (!(await isSo())) {
      if (!time.step(end - clock.now())) return false;
      await quiet.settled();
    }
    return true;
  };

  return {
    listens: false,
    clock,
    now: () => BEGINNING + clock.now(),
    random,
    outside: (answer) => quiet.outside(answer),
    openLine: async (host) => createLine(host, { clock, moved: quiet.moved, random }),
    async settled(open) {
      let missing: string | undefined;
      const isSettled = async (): Promise<boolean> => (missing = await open()) === undefined;
      if (!(await passUntil(isSettled))) throw new Error(`Not settled within ${WAITED}: ${missing}.`);
    },
    async advance(milliseconds) {
      const until = clock.now() + milliseconds;
      await quiet.settled();
      while (time.step(until - clock.now())) await quiet.settled();
    },
    async until(answer) {
      let over = false;
      const answered = answer.finally(() => (over = true));
      // It is told below; until then nobody listens.
      answered.catch(() => undefined);
      if (!(await passUntil(async () => over))) throw new Error(`Not answered within ${WAITED}.`);
      return answered;
    },
  };
}

interface World {
  readonly clock: Clock;
  readonly moved: () => void;
  readonly random: () => number;
}

/** The runtime of one client: the network's time and chance, and nothing of the machine's. */
function createRuntime({ clock, random }: World, page: ClientPage | undefined): Runtime {
  return {
    now: () => clock.now(),
    date: () => BEGINNING + clock.now(),
    after(ms, run) {
      let over = false;
      const fire = (): void => {
        if (!over) run();
      };
      const timer = clock.setTimer(() => (page ? page.happen(fire) : fire()), ms);
      return () => {
        over = true;
        timer.cancel();
      };
    },
    random,
    randomBytes: () => randomBytes(random),
    report: globalRuntime.report,
    warn: globalRuntime.warn,
    isOnline: () => page?.isOnline?.() ?? true,
    onNetwork: () => () => undefined,
    recall: () => undefined,
  };
}

/** The network is the same for all tabs, though it is none of the browser's. */
function shareIn({ tabs }: ClientPage): NonNullable<ClientWorld["share"]> {
  return async (port, { share: name, token }) => share(port, { share: name, token }, tabs);
}

function createLine(first: ServerHost, world: World): MediumLine {
  const { clock, moved } = world;
  const relays = new Set<Relay>();
  const line = createFaults(relays);
  let target = first;

  const connect = (): Duplex => {
    const [client, near] = createStreamPair(moved);
    if (!line.plugged) {
      // Not at once: nobody listens to it yet.
      process.nextTick(() => client.destroy(new Error("The line is unplugged (ECONNREFUSED).")));
      return client;
    }
    const [far, socket] = createStreamPair(moved);
    const host = target;
    if (!host.accept(socket)) socket.destroy();
    const gone = (relay: Relay): void => {
      relays.delete(relay);
      host.crossings.delete(relay);
    };
    const stopped = (): boolean => host.stopped;
    const relay = new Relay({ near, far, conditions: line.conditions, clock, stopped, gone });
    relays.add(relay);
    host.crossings.add(relay);
    return client;
  };
  const url = `http://${MEMORY_HOST}`;
  const network = { WebSocket: createWebSocketClass(connect), fetch: createFetch(connect) };

  return {
    faults: line.faults,
    get connections() {
      return relays.size;
    },
    get blocked() {
      return line.blocked || !target.running;
    },
    url,
    fetch: network.fetch,
    leadTo(other) {
      target = other;
    },
    connect: (options, { page, through } = {}) =>
      createClientIn(
        { runtime: createRuntime(world, page), transports, keeper, ...(page && { share: shareIn(page) }) },
        url,
        { ...(through?.(network) ?? network), ...options },
      ),
    close: async () => line.faults.cut(),
  };
}
