import type { IncomingMessage, Server as HttpServer, ServerResponse } from "node:http";
import type { Http2SecureServer, Http2Server, Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { createMemoryBroker } from "./brokers/memory/index.ts";
import { createCounters, type CounterSnapshot } from "./core/counters.ts";
import type { ChannelDefinitions, RetentionOptions } from "./core/definitions.ts";
import { type Duration, isDuration, milliseconds } from "./core/duration.ts";
import { createEngine } from "./core/engine.ts";
import type { Authenticate, Broker, Clock, Logger, Metrics } from "./core/ports.ts";
import { createServerChannel, type ServerChannel } from "./core/server-channel.ts";
import { createHttpService } from "./http/http-service.ts";
import type { FetchInfo } from "./http/fetch-host.ts";
import type { TlsOptions } from "./http/tls-server.ts";
import { DEFAULT_LIMITS, type Limits } from "./protocol/limits.ts";
import {
  anything,
  type Check,
  flag,
  fn,
  has,
  logger,
  positive,
  readOptions,
  type Rules,
  string,
  strings,
} from "./protocol/options.ts";
import type { CompressionOptions } from "./transports/compression.ts";
import type { Heartbeat } from "./transports/surroundings.ts";
import type { IncomingMessageClass } from "./transports/stream-request.ts";

export { defineChannels } from "./core/definitions.ts";
export type { ChannelDefinition, ChannelDefinitions, RetentionOptions } from "./core/definitions.ts";
export type { CounterSnapshot } from "./core/counters.ts";
export type { Duration } from "./core/duration.ts";
export { grants, type GrantTable } from "./core/grants.ts";
export type {
  Action,
  Authenticate,
  Authenticated,
  Broker,
  Clock,
  Credentials,
  Grants,
  Logger,
} from "./core/ports.ts";
export type {
  Published,
  ServerChannel,
  ServerHistory,
  ServerHistoryOptions,
  ServerMessage,
  ServerPublishOptions,
} from "./core/server-channel.ts";
export type { StandardSchema } from "./core/standard-schema.ts";
export type { FetchInfo } from "./http/fetch-host.ts";
export type { TlsOptions } from "./http/tls-server.ts";
export type { CompressionOptions } from "./transports/compression.ts";
export type { IncomingMessageClass } from "./transports/stream-request.ts";
export type { Heartbeat } from "./transports/surroundings.ts";

/** What {@link createPartyline} can be told; all of it has a default. */
export interface PartylineOptions {
  /** The channels there are, by pattern. Default: every name is a channel that keeps its history. */
  readonly channels?: ChannelDefinitions;
  /**
   * Decides who a peer is and what it may do: returns `{ grants }`, or `undefined` to refuse the peer. Default: every
   * peer may do everything that the definitions allow.
   */
  readonly authenticate?: Authenticate;
  /** Where messages are kept. Default: in this process. */
  readonly broker?: Broker;
  /** Retention of channels whose definition names none. */
  readonly retention?: RetentionOptions;
  /** Bounds on what comes from outside. */
  readonly limits?: Partial<Limits>;
  /** A prefix of all paths, like `"/realtime"`. Default none. */
  readonly path?: string;
  /**
   * Names by which the server is reached, like `"app.example"`: requests for any other are refused. Default: on a
   * loopback address those of this machine, elsewhere any.
   */
  readonly hosts?: readonly string[];
  /** Other origins whose pages may connect, like `"https://app.example"`; `"*"` for all. Default: none. */
  readonly origins?: readonly string[];
  /**
   * Takes `permessage-deflate` where a WebSocket client offers it, and sends event streams and history with gzip to who
   * accepts that, as browsers do: saves bytes on the wire for large messages and busy channels, and costs CPU once for
   * each message, however many readers it has, and for each frame that such a WebSocket sends. Not for channels where
   * secrets stand beside what others wrote: docs/transports.md says why. Default: `false`.
   */
  readonly compression?: boolean | CompressionOptions;
  /** How often connections are looked after, seconds. */
  readonly heartbeat?: Partial<Heartbeat>;
  /** How long a channel is quiet before it repeats its position, and between two checks of heads, ms. */
  readonly intervals?: { readonly mark?: number; readonly head?: number };
  /** Where warnings and errors go. Default: standard error. */
  readonly logger?: Logger;
  /** Time and turns of the event loop; tests bring their own. */
  readonly clock?: Clock;
}

/** What {@link Partyline.listen} can be told beside where. */
export interface ListenOptions {
  /** Speak TLS: HTTP/2, and HTTP/1.1 with WebSockets, on one port. Default: HTTP/1.1 without TLS. */
  readonly tls?: TlsOptions;
  /**
   * Lets several processes listen on the port, among which the system shares out new connections (Linux and some others;
   * elsewhere `ENOTSUP`). In workers of `node:cluster` that spares the main process, which otherwise hands on each
   * connection. Default: `false`.
   */
  readonly reusePort?: boolean;
}

/** Where a server listens. */
export interface Listening {
  readonly port: number;
  /** The address that it is bound to, as the system writes it: `127.0.0.1`, `::`. */
  readonly address: string;
  /** For programs on the same machine, without a slash at its end. */
  readonly url: string;
}

/** A partyline server: on a port of its own, or as a guest in a server that is already there. */
export interface Partyline extends AsyncDisposable {
  /**
   * Listens on a port of its own.
   *
   * @param port Default 8080; 0 for any that is free.
   * @param host Default: this machine alone where everybody may publish, else all addresses.
   *
   * @throws TypeError where certificate or key can't be read, or do not belong together.
   *
   * @example With TLS, and so with HTTP/2.
   * ```ts
   * const [cert, key] = await Promise.all([readFile("cert.pem"), readFile("key.pem")]);
   * await server.listen(8443, "0.0.0.0", { tls: { cert, key } });
   * ```
   */
  listen(port?: number, host?: string, options?: ListenOptions): Promise<Listening>;
  /**
   * Takes its paths of an HTTP server: requests and upgrades. All others go to the listeners that the server has now.
   */
  attach(server: HttpServer | Http2Server | Http2SecureServer): void;
  /** A request handler, for Express and `node:http`; `next` is called for paths of others (without it: 404). */
  readonly handler: (
    request: IncomingMessage | Http2ServerRequest,
    response: ServerResponse | Http2ServerResponse,
    next?: () => void,
  ) => void;
  /** A handler of `upgrade` events; false where the path is that of others, and nothing was done. */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => boolean;
  /** A handler for fetch-style hosts: everything but WebSockets. */
  readonly fetch: (request: Request, info?: FetchInfo) => Promise<Response>;
  /**
   * For `http.createServer({ IncomingMessage: server.IncomingMessage })`, with {@link attach}: an idle event stream
   * then costs a quarter of the memory.
   */
  readonly IncomingMessage: IncomingMessageClass;
  /** A channel, for the application's own code. */
  channel<T = unknown>(name: string): ServerChannel<T>;
  /** Counts since the start: what went right and what was refused, by reason. */
  counters(): CounterSnapshot;
  /** How many connections are open now: WebSockets and streams. */
  readonly connections: number;
  /**
   * `serving`; `draining`, when readers should be led elsewhere; or `closed`. The same is answered at
   * `/connect/ready`, for load balancers.
   */
  readonly state: ServerState;
  /**
   * Lets everybody leave, then closes; for deploys, where another server is there to go to. It is not ready at once
   * and lets nobody new in. Each connection is asked to leave at a moment of its own: a client of this package opens
   * its next connection before it leaves this one, others are sent away and told when to come back. Whoever is there
   * is served to the end, and publishes are taken. Resolves when the server is closed, which is when all have left
   * and at the latest somewhat more than `within` later; `close()` ends it at once.
   *
   * @throws TypeError where an option is wrong.
   *
   * @example
   * ```ts
   * process.once("SIGTERM", () => void server.drain({ within: "25s" }));
   * ```
   */
  drain(options?: DrainOptions): Promise<void>;
  /** Ends all connections and stops listening, in bounded time; an HTTP server it was attached to goes on. */
  close(): Promise<void>;
}

/** What a server does: see {@link Partyline.state}. */
export type ServerState = "serving" | "draining" | "closed";

/** How a server is left. */
export interface DrainOptions {
  /**
   * Until whoever is still there is closed: ms, or `"25s"`. Default 25 s, which leaves the end its time within the
   * 30 s that Kubernetes gives.
   */
  readonly within?: Duration;
  /** Connections that are asked to leave each second; more where `within` would not do for all. Default 200. */
  readonly rate?: number;
}

/** The rules of {@link PartylineOptions}. */
export const OPTION_RULES: Rules<PartylineOptions> = {
  // Definitions and figures are checked by the parts that read them.
  channels: anything,
  authenticate: fn,
  broker: has("append", "read", "subscribe", "heads", "time", "close"),
  retention: anything,
  limits: anything,
  path: string,
  hosts: strings,
  origins: strings,
  compression: (value) => (typeof value === "object" ? undefined : flag(value)),
  heartbeat: anything,
  intervals: anything,
  logger,
  clock: has("now", "setTimer", "nextTurn"),
};

const isPem: Check = (value) =>
  typeof value === "string" || value instanceof Uint8Array ? undefined : "text or bytes in PEM";

const LISTEN_RULES: Rules<ListenOptions> = { tls: { cert: isPem, key: isPem }, reusePort: flag };

const DRAIN_RULES: Rules<DrainOptions> = { within: isDuration, rate: positive };

/** How long connections are given to end by themselves, ms. */
const GRACE = 1_500;

/** How long the broker is given to end, ms. */
const BROKER_GRACE = 5_000;

/**
 * Makes a partyline server. It does nothing until it listens, is attached or is asked.
 *
 * @throws TypeError where a definition or an option is wrong.
 *
 * @example On its own.
 * ```ts
 * const server = createPartyline({ channels: { "chat/:room": {}, "scores/*": { publish: "server" } } });
 * const { url } = await server.listen(8080);
 * await server.channel("scores/42").publish({ minute: 31, kind: "goal" });
 * ```
 *
 * @example In an application that is already there.
 * ```ts
 * const http = createServer(app);
 * const server = createPartyline();
 * server.attach(http);
 * http.listen(8080);
 * ```
 */
export function createPartyline(written: PartylineOptions = {}): Partyline {
  const options = readOptions("createPartyline()", written, OPTION_RULES);
  const counters = createCounters();
  const clock = options.clock ?? systemClock;
  const engine = createEngine({
    broker: options.broker ?? createOwnBroker(options.limits?.logBytes, counters),
    clock,
    logger: options.logger ?? stderrLogger,
    metrics: counters,
    channels: options.channels,
    retention: options.retention,
    authenticate: options.authenticate,
    limits: options.limits,
    intervals: options.intervals,
  });
  const warned = process.env[WARNED_VARIABLE] !== undefined;
  const http = createHttpService(engine, { ...options, warned }, Math.random);
  let draining: Promise<void> | undefined;
  let closing: Promise<void> | undefined;

  const end = async (): Promise<void> => {
    await http.close(GRACE);
    const late = new Promise<"late">((resolve) => clock.setTimer(() => resolve("late"), BROKER_GRACE));
    if ((await Promise.race([engine.close(), late])) === "late")
      engine.logger.error("the broker does not end: it is left behind");
  };
  const close = (): Promise<void> => (closing ??= keepingAlive(end()));

  return {
    async listen(port, written, more) {
      const { tls, reusePort = false } = readOptions("listen()", more, LISTEN_RULES);
      const host = written ?? (options.authenticate ? undefined : "127.0.0.1");
      // Node would take it for every address of the machine.
      if (typeof host === "string" && host.trim() === "")
        throw new TypeError('`host` is empty: name an address, like "127.0.0.1", or leave it out.');
      return describeAddress(
        tls ? "https" : "http",
        await http.listen({ port: port ?? 8080, host, reusePort }, tls),
      );
    },
    attach: (server) => http.attach(server),
    handler: (request, response, next) => http.handler(request, response, next),
    upgrade: (request, socket, head) => http.upgrade(request, socket, head),
    fetch: (request, info) => http.fetch(request, info),
    IncomingMessage: http.IncomingMessage,
    channel: <T>(name: string) => createServerChannel<T>(engine, name),
    counters: () => counters.snapshot(),
    get connections() {
      return http.connections;
    },
    get state() {
      return http.phase;
    },
    drain(how) {
      const { within = "25s", rate = 200 } = readOptions("drain()", how, DRAIN_RULES);
      const plan = { within: milliseconds(within), rate };
      return (draining ??= http.drain(plan).then(close));
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function createOwnBroker(maxBytes: number = DEFAULT_LIMITS.logBytes, counters: Metrics): Broker {
  return createMemoryBroker({
    maxBytes,
    onShortened: (_channel, bytes) => counters.count("shortened", "", bytes),
  });
}

function describeAddress(scheme: "http" | "https", { address, port }: AddressInfo): Listening {
  const any = address === "::" || address === "0.0.0.0";
  const host = any ? "localhost" : address.includes(":") ? `[${address}]` : address;
  return { port, address, url: `${scheme}://${host}:${port}` };
}

/** Real time. Its timers keep no process alive: what listens does. */
export const systemClock: Clock = {
  now: () => performance.now(),
  setTimer(fire, delay) {
    const timer = setTimeout(fire, delay);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
  nextTurn: (fire) => void setImmediate(fire),
};

/** In the environment of a worker: another one has warned of what is the same for all of them. */
export const WARNED_VARIABLE = "PARTYLINE_WARNED";

/** What is wrong, one line each; what is well is not told. */
export const stderrLogger: Logger = {
  info: () => undefined,
  warn: (message, details) => writeLine("warning", message, details),
  error: (message, details) => writeLine("error", message, details),
};

function writeLine(level: string, message: string, details: Readonly<Record<string, unknown>> = {}): void {
  const { stack, ...rest } = details;
  const more = Object.keys(rest).length === 0 ? "" : ` ${JSON.stringify(rest)}`;
  // A stack is for people: on lines of its own.
  const lines = typeof stack === "string" ? `\n${stack.replaceAll(/^/gm, "  ")}` : "";
  // The console ignores that nobody reads standard error; a stream would end the process.
  // oxlint-disable-next-line no-console -- see above
  console.error(`partyline: ${level}: ${message}${more}${lines}`);
}

/** Keeps the process from ending before the promise settles, which no other timer of a server does. */
async function keepingAlive<T>(promise: Promise<T>): Promise<T> {
  const timer = setInterval(() => undefined, GRACE);
  try {
    return await promise;
  } finally {
    clearInterval(timer);
  }
}
