import type { Client, ClientOptions } from "../client/client-types.ts";
import { createClientIn } from "../client/create-client.ts";
import { createKeeper, type KeeperPlace } from "../client/keeper.ts";
import type { PageEvents } from "../client/page.ts";
import type { Runtime } from "../client/runtime.ts";
import { openPoll } from "../client/transports/poll.ts";
import { openSse } from "../client/transports/sse.ts";
import { openWebSocket } from "../client/transports/ws.ts";
import { createScriptedNetwork, type Frame, type ScriptedSocket } from "./scripted-websocket.ts";
import { createVirtualClock, type VirtualClock } from "./virtual-clock.ts";

/** A client in a world that the test makes up: time, chance, network and server. */
export interface ClientRig {
  readonly client: Client;
  readonly clock: VirtualClock;
  readonly sockets: readonly ScriptedSocket[];
  /** The newest socket, `undefined` where there is none. */
  readonly socket: ScriptedSocket;
  /** What the client could tell nobody. */
  readonly reported: unknown[];
  /** What the client wrote to the console. */
  readonly warned: string[];
  /**
   * `chance`: what jitter is multiplied with, from 0 to below 1; begins at 0.5. `slowestTimer`: timers take at least so
   * many ms, as in a hidden tab; begins at 0. `date`: the machine's clock less the clock that never goes back, ms.
   */
  readonly pace: { chance: number; slowestTimer: number; date: number };
  /** Lets what is under way in promises come to rest. */
  settle(): Promise<void>;
  /** Opens and welcomes the newest socket; answers what the client has sent by then. */
  welcome(): Promise<Frame[]>;
  /** Says whether there is a network. */
  setOnline(online: boolean): void;
  /** The page is looked at again, or left. */
  readonly page: PageEvents;
  /** What the client noted for later pages. */
  readonly notes: Map<string, string>;
  /** Listeners that the client has at the runtime: for the network, and once it was live for the page. */
  readonly listeners: number;
}

/** The welcome of a scripted server. */
export const WELCOME: Frame = {
  t: "welcome",
  v: 1,
  time: 1_000_000,
  limits: { messageBytes: 65_536, channelsPerConnection: 256 },
};

/** The life of a scripted server's channels. */
export const EPOCH = "0mhlk2v9q7xa";

/** The answer to an attach of the channel `a`, at its head where no more is said. */
export const attachedAt = (n: number, offset: number, more: Frame = {}): Frame => ({
  t: "attached",
  n,
  channel: "a",
  c: 3,
  position: `${EPOCH}:${offset}`,
  head: `${EPOCH}:${offset}`,
  replayed: 0,
  keep: "history",
  ...more,
});

/** A message of the channel `a`. */
export const messageAt = (offset: number, more: Frame = {}): Frame => ({
  t: "m",
  c: 3,
  offset,
  time: 1_000_000 + offset,
  kind: "json",
  data: offset,
  ...more,
});

/**
 * Makes a {@link ClientRig}; without options it knows WebSockets alone.
 *
 * @param notes What earlier pages have left.
 * @param start What the clock begins at: a later page begins later.
 */
export function createClientRig(
  options: ClientOptions = {},
  notes: Map<string, string> = new Map<string, string>(),
  start = 0,
): ClientRig {
  const clock = createVirtualClock(start);
  const network = createScriptedNetwork();
  const reported: unknown[] = [];
  const warned: string[] = [];
  const changes = new Set<() => void>();
  const pages = new Set<PageEvents>();
  const pace = { chance: 0.5, slowestTimer: 0, date: 1_700_000_000_000 };
  let online = true;
  let ids = 0;

  const runtime: Runtime = {
    now: () => clock.now(),
    date: () => clock.now() + pace.date,
    after(ms, run) {
      // As the runtime's, whose timers have a limit.
      const timer = ms < 2 ** 31 ? clock.setTimer(run, Math.max(ms, pace.slowestTimer)) : undefined;
      return () => timer?.cancel();
    },
    random: () => pace.chance,
    randomBytes: () => new Uint8Array(16).fill(++ids),
    warn: (...text) => void warned.push(text.join(" ")),
    report: (error) => void reported.push(error),
    isOnline: () => online,
    onNetwork(change) {
      changes.add(change);
      return () => void changes.delete(change);
    },
    recall: (name) => notes.get(name),
  };
  const place: KeeperPlace = {
    watch(events) {
      pages.add(events);
      return () => void pages.delete(events);
    },
    note: (name, value) => void notes.set(name, value),
  };
  const client = createClientIn(
    {
      runtime,
      transports: { ws: () => openWebSocket, sse: () => openSse, poll: () => openPoll },
      keeper: async (request) => createKeeper(request, place),
    },
    "ws://test",
    { transports: ["ws"], WebSocket: network.WebSocket, ...options },
  );
  const settle = async (): Promise<void> => {
    for (let round = 0; round < 20; round++) await Promise.resolve();
  };

  const rig: ClientRig = {
    client,
    clock,
    sockets: network.sockets,
    get socket() {
      return network.sockets.at(-1) as ScriptedSocket;
    },
    reported,
    warned,
    pace,
    settle,
    async welcome() {
      await settle();
      rig.socket.open();
      const first = rig.socket.take();
      rig.socket.say(WELCOME);
      await settle();
      return [...first, ...rig.socket.take()];
    },
    setOnline(now) {
      online = now;
      for (const change of changes) change();
    },
    page: {
      wake: () => pages.forEach(({ wake }) => wake()),
      leave: () => pages.forEach(({ leave }) => leave()),
    },
    notes,
    get listeners() {
      return changes.size + pages.size;
    },
  };
  return rig;
}
