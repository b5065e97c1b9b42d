import { createMemoryBroker, type MemoryBroker } from "../brokers/memory/index.ts";
import type { Definitions } from "../client/typed-client.ts";
import type { Broker, Clock } from "../core/ports.ts";
import { anything, fn, oneOf, readOptions, type Rules } from "../protocol/options.ts";
import { createPartyline, OPTION_RULES, type PartylineOptions } from "../server.ts";
import { type Faults, joinFaults } from "./line/faults.ts";
import type { Medium, MediumLine } from "./network/medium.ts";
import { createMemoryMedium, MEMORY_HOST } from "./network/memory-medium.ts";
import { socketMedium } from "./network/socket-medium.ts";
import {
  firstUnsettled,
  type Followed,
  followClient,
  type PlacedClientOptions,
  type TestClient,
  type TestClientOptions,
  type TypedTestClient,
} from "./network/test-client.ts";
import { hostOf, ServerHost, type TestServer } from "./network/test-server.ts";

/** A broker whose logs a test can shorten; where it can't do that, `trim` and `forget` of the network throw. */
export type TrimmableBroker = Broker & Partial<Pick<MemoryBroker, "trim" | "forget">>;

/** What a {@link TestNetwork} is made of: options of its servers, and of itself. */
export interface TestNetworkOptions extends Omit<PartylineOptions, "broker" | "clock" | "hosts" | "path"> {
  /**
   * `memory`: no ports and no real time, so that minutes pass in milliseconds. `sockets`: TCP on loopback, in real
   * time. Both speak the real protocol. Default `memory`.
   */
  readonly mode?: "memory" | "sockets";
  /** In memory, chance is a matter of this number: the same seed, the same history. Default 1. */
  readonly seed?: number;
  /**
   * What becomes of the messages when no server is left: `lost`, as with the memory broker of one process, or `kept`,
   * as with a broker in a process of its own. Default `lost`.
   */
  readonly past?: "lost" | "kept";
  /**
   * Makes the broker that all servers share; by default one in memory. `now` is the network's time, ms since 1970;
   * `random` its chance.
   */
  readonly broker?: (world: { readonly now: () => number; readonly random: () => number }) => TrimmableBroker;
}

const { clock: _clock, hosts: _hosts, path: _path, ...SERVER_RULES } = OPTION_RULES;

const RULES: Rules<TestNetworkOptions> = {
  ...SERVER_RULES,
  mode: oneOf("memory", "sockets"),
  seed: anything,
  past: oneOf("lost", "kept"),
  broker: fn,
};

/** Servers, clients, and the lines between them. Faults of the network are those of all its clients' lines at once. */
export interface TestNetwork extends Faults, AsyncDisposable {
  /** The first server. */
  readonly server: TestServer;
  /** Its clock: for an application's own timers, so that they keep time with the network. */
  readonly clock: Clock;
  /** Its time, ms since 1970. */
  readonly now: () => number;
  /** Starts another server over the same broker. */
  addServer(): Promise<TestServer>;
  /** Makes a client, on a line of its own. */
  client(options?: TestClientOptions): Promise<TestClient>;
  client<D extends Definitions>(options?: TestClientOptions): Promise<TypedTestClient<D>>;
  /**
   * Resolves when all is as it will be: each client whose line is not blocked is connected, stands at the heads of its
   * channels, and has no publish that is not settled. In memory, no more time passes than that needs.
   *
   * @throws Error where that does not come within 10 minutes of the network's time, or 10 s over sockets.
   */
  settled(): Promise<void>;
  /**
   * Lets time pass. In memory, timers fire in their order, and all that each of them brings about happens before the
   * next; `advance(0)` is for what needs no time at all. Over sockets it waits.
   */
  advance(milliseconds: number): Promise<void>;
  /**
   * Resolves with this answer, and lets as much time pass as it takes. In memory, an answer that needs time never comes
   * by being awaited alone.
   *
   * @throws Error where it does not come within 10 minutes of the network's time.
   *
   * @example
   * ```ts
   * net.cut();
   * await net.until(client.channel("chat/lobby").publish("after the client is back"));
   * ```
   */
  until<T>(answer: Promise<T>): Promise<T>;
  /** Drops the messages of a channel that are kept, as if newer ones had driven them out: who is behind has a gap. */
  trim(channel: string): void;
  /** Ends the life of a channel's log, messages and positions: it goes on in a later epoch. */
  forget(channel: string): void;
  /** Ends clients, servers and lines. */
  close(): Promise<void>;
}

/**
 * Makes a network of real servers and real clients that a test disturbs as it likes.
 *
 * @throws TypeError where a definition or an option is wrong.
 *
 * @example
 * ```ts
 * await using net = await createTestNetwork({ channels });
 * const ada = await net.client();
 * const heard: unknown[] = [];
 * ada.channel("chat/lobby").on("message", ({ data }) => heard.push(data));
 * await net.settled();
 *
 * ada.line.unplug();
 * await net.server.channel("chat/lobby").publish("while Ada was away");
 * await net.advance(60_000);
 * ada.line.mend();
 * await net.settled();
 * // heard: ["while Ada was away"]
 * ```
 */
export async function createTestNetwork(written: TestNetworkOptions = {}): Promise<TestNetwork> {
  const read = readOptions("createTestNetwork()", written, RULES);
  const { mode = "memory", seed = 1, past = "lost", broker: createBroker = createMemoryBroker } = read;
  const { mode: _mode, seed: _seed, past: _past, broker: _broker, ...options } = read;
  const { authenticate } = options;
  const medium: Medium = mode === "memory" ? createMemoryMedium(seed) : socketMedium;
  const servers: ServerHost[] = [];
  const clients = new Set<Followed>();
  const lines: MediumLine[] = [];
  let broker: TrimmableBroker | undefined;
  /** A log that begins anew in the same millisecond must still be the later one. */
  let lives = 0;

  const openBroker = (): TrimmableBroker =>
    (broker ??= createBroker({ now: () => medium.now() + lives, random: medium.random }));
  const closeBroker = async (): Promise<void> => {
    const closed = broker;
    broker = undefined;
    lives++;
    await closed?.close();
  };
  const startServer = async (): Promise<ServerHost> => {
    const host = new ServerHost({
      listens: medium.listens,
      until: (answer) => medium.until(answer),
      create: (life) =>
        createPartyline({
          ...options,
          ...(authenticate && {
            authenticate: (credentials) => medium.outside(authenticate(credentials)),
          }),
          hosts: [medium.listens ? "127.0.0.1" : MEMORY_HOST],
          clock: life.clock(medium.clock),
          broker: life.broker(openBroker()),
        }),
      ended() {
        if (past === "lost" && !servers.some(({ running }) => running)) void closeBroker();
      },
    });
    await host.restart();
    servers.push(host);
    return host;
  };
  const first = await startServer();

  const addClient = async (clientOptions: PlacedClientOptions = {}): Promise<TestClient> => {
    const { server = first, page, through, ...rest } = clientOptions;
    const { token } = rest;
    const asked = typeof token === "function" && { token: async () => medium.outside(token()) };
    const line = await medium.openLine(hostOf(server));
    lines.push(line);
    const followed = followClient(line.connect({ ...rest, ...asked }, { page, through }), line);
    clients.add(followed);
    followed.client.on("state", ({ status }) => status === "closed" && clients.delete(followed));
    return followed.client;
  };
  const cutLog = (how: "trim" | "forget", channel: string): void => {
    const change = openBroker()[how];
    if (!change) throw new Error(`The broker of this network has no ${how}().`);
    change.call(broker, channel);
  };
  const close = async (): Promise<void> => {
    for (const { client } of [...clients]) await client.close();
    for (const line of lines) await line.close();
    for (const server of servers) server.end();
    await closeBroker();
  };

  return {
    ...joinFaults(lines),
    server: first,
    clock: medium.clock,
    now: medium.now,
    addServer: startServer,
    client: addClient as TestNetwork["client"],
    settled: () => medium.settled(() => firstUnsettled(clients, openBroker())),
    advance: (milliseconds) => medium.advance(milliseconds),
    until: (answer) => medium.until(answer),
    trim: (channel) => cutLog("trim", channel),
    forget: (channel) => cutLog("forget", channel),
    close,
    [Symbol.asyncDispose]: close,
  };
}
