import { once } from "node:events";
import type { IncomingMessage, Server } from "node:http";
import type { Http2SecureServer, Http2Server } from "node:http2";
import type { AddressInfo, ListenOptions } from "node:net";
import type { Duplex } from "node:stream";
import type { Engine, Logger } from "../core/ports.ts";
import { PartylineError } from "../protocol/errors.ts";
import { isLoopbackAddress } from "../protocol/host.ts";
import { anything, readOptions, type Rules, withDefaults } from "../protocol/options.ts";
import { type CompressionOptions, createCompression } from "../transports/compression.ts";
import { Registry } from "../transports/registry.ts";
import { createIncomingMessageClass, type IncomingMessageClass } from "../transports/stream-request.ts";
import { DEFAULT_HEARTBEAT, type Heartbeat } from "../transports/surroundings.ts";
import { Admission } from "./admission.ts";
import { attachTo } from "./attach.ts";
import { AttachRate } from "./attach-rate.ts";
import { Bodies } from "./bodies.ts";
import { comeBack, Drain, type DrainPlan } from "./drain.ts";
import { createFetchHandler, type FetchHandler } from "./fetch-host.ts";
import { createGate, type Gate } from "./gate.ts";
import { guard, NOBODY } from "./lead.ts";
import { NodeHost } from "./node-host.ts";
import type { NodeRequest, NodeResponse } from "./http2.ts";
import { answerUnknown, createOwnServer, type OwnServer } from "./own-server.ts";
import { createRouter } from "./routes.ts";
import { goingAway, type Phase, type Service } from "./service.ts";
import { createTlsServer, type TlsOptions } from "./tls-server.ts";
import { Upgrades } from "./upgrades.ts";

const COMPRESSION_RULES: Rules<CompressionOptions> = { threshold: anything };

/** What {@link createHttpService} is told. */
export interface HttpOptions {
  readonly path?: string;
  readonly hosts?: readonly string[];
  readonly origins?: readonly string[];
  readonly heartbeat?: Partial<Heartbeat>;
  readonly compression?: boolean | CompressionOptions;
  /** Has it been told elsewhere that any host name is answered? */
  readonly warned?: boolean;
}

/** Everything that a server does over HTTP. */
export interface HttpService {
  readonly IncomingMessage: IncomingMessageClass;
  readonly fetch: FetchHandler;
  /** WebSockets and streams that are open. */
  readonly connections: number;
  listen(where: ListenOptions, tls: TlsOptions | undefined): Promise<AddressInfo>;
  attach(server: Server | Http2Server | Http2SecureServer): void;
  handler(request: NodeRequest, response: NodeResponse, next?: () => void): void;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
  readonly phase: Phase["is"];
  /** Asks everybody to leave; resolves when they have, or the time is up, or it was closed. */
  drain(plan: DrainPlan): Promise<void>;
  /** Ends everything; what has not ended by itself after `grace` ms is destroyed. */
  close(grace: number): Promise<void>;
}

/**
 * Puts the hosts together, over one service.
 *
 * @param random From 0 to below 1, for jitter.
 */
export function createHttpService(engine: Engine, options: HttpOptions, random: () => number): HttpService {
  const { path = "", hosts = [], origins = [], heartbeat, compression = false } = options;
  let { warned = false } = options;
  const registry = new Registry(engine.wheel);
  const service: Service = {
    engine,
    registry,
    heartbeat: withDefaults("`heartbeat`", "figure", DEFAULT_HEARTBEAT, heartbeat),
    compression:
      compression === false
        ? undefined
        : createCompression(
            compression === true ? {} : readOptions("`compression`", compression, COMPRESSION_RULES),
            engine.metrics,
          ),
    router: createRouter(path),
    admission: new Admission(engine.limits, engine.logger),
    attaches: new AttachRate(engine.limits, engine.clock.now()),
    bodies: new Bodies(engine),
    logged: new Set(),
    polls: new Set(),
    random,
    phase: { is: "serving" },
  };
  const cross = origins.length > 0;
  const refused = warnOnce(engine.logger);
  const gateFor = (loopback: () => boolean): Gate => createGate({ hosts, origins, loopback, refused });
  const hostFor = (loopback: () => boolean): NodeHost =>
    new NodeHost(service, { gate: gateFor(loopback), cross, loopback });
  // As a guest nobody knows under which name the host is reached.
  const guest = hostFor(() => false);
  const guestUpgrades = new Upgrades(guest);
  const fetch = createFetchHandler(service, { gate: gateFor(() => false), cross });
  const servers = new Set<OwnServer>();
  const detachments: (() => void)[] = [];

  const warnOfAnyHost = (): void => {
    if (warned || hosts.length > 0) return;
    warned = true;
    engine.logger.warn("requests for any host name are answered: name your own in the option `hosts`");
  };

  return {
    IncomingMessage: createIncomingMessageClass(guest.routeOf),
    get connections() {
      return registry.size;
    },
    get phase() {
      return service.phase.is;
    },
    fetch(request, info) {
      warnOfAnyHost();
      return fetch(request, info);
    },
    async listen(where, tls) {
      let loopback = true;
      const nodeHost = hostFor(() => loopback);
      const nodeUpgrades = new Upgrades(nodeHost);
      const own = tls
        ? createTlsServer(nodeHost, nodeUpgrades, tls)
        : createOwnServer(nodeHost, nodeUpgrades);
      servers.add(own);
      await once(own.server.listen(where), "listening");
      const bound = own.server.address() as AddressInfo;
      // Whatever the host was called: what counts is where it led.
      loopback = isLoopbackAddress(bound.address);
      if (!loopback) warnOfAnyHost();
      // A failed `accept` (no file descriptor is left) is an event too, which nobody else listens for.
      own.server.on("error", (error) => engine.failures.report("the server failed", error));
      return bound;
    },
    attach(server) {
      warnOfAnyHost();
      detachments.push(attachTo(server, guest, guestUpgrades));
    },
    handler(request, response, next) {
      warnOfAnyHost();
      if (guest.request(request, response, false)) return;
      if (next) next();
      else answerUnknown(guest, request, response);
    },
    upgrade(request, socket, head) {
      warnOfAnyHost();
      return guestUpgrades.upgrade(request, socket, head);
    },
    async drain(plan) {
      if (service.phase.is !== "serving") return;
      const { clock, metrics } = engine;
      const drain = new Drain(
        {
          registry,
          polls: service.polls,
          clock,
          metrics,
          parting: () => ({
            within: Math.max(0, Math.round(drain.until - clock.now())),
            retry: comeBack(random),
            reason: goingAway(service),
          }),
        },
        plan,
      );
      service.phase = { is: "draining", drain };
      await drain.run(() => service.phase.is !== "draining");
    },
    async close(grace) {
      // The host of a server that was drained is about to end too, and its 404 would send clients away for good.
      if (service.phase.is !== "draining") for (const detach of detachments) detach();
      service.phase = { is: "closed" };
      const closed = [...servers].map((own) => own.close());
      const guests = [...service.polls, ...registry.connections()];
      for (const one of guests) guard(service, () => one.close(ending(guests.length, random)), NOBODY);
      await within(engine, grace, Promise.all([registry.emptied(), ...closed]));
      registry.destroyAll();
      for (const own of servers) own.destroy();
      await within(engine, grace, Promise.all(closed));
    },
  };
}

/** So many of those who were sent away at once come back each second. */
const COMING_BACK = 1_000;
/** Nobody waits longer than this to come back, seconds. */
const LONGEST = 30;

/** Why everybody is sent away at once; the more there are, the wider they come back. */
function ending(guests: number, random: () => number): PartylineError {
  const spread = Math.min(guests / COMING_BACK, LONGEST);
  const retryAfter = Math.ceil(1_000 + random() * spread * 1_000) / 1_000;
  return new PartylineError("draining", "This server is ending.", { retryAfter });
}

/** Waits for the promise, but no longer than `delay` ms. */
async function within(engine: Engine, delay: number, promise: Promise<unknown>): Promise<void> {
  let cancel = (): void => undefined;
  const late = new Promise<void>((resolve) => {
    const timer = engine.clock.setTimer(resolve, delay);
    cancel = () => timer.cancel();
  });
  await Promise.race([promise, late]);
  cancel();
}

/** Refused origins that are remembered, so that each is told once. */
const MOST_ORIGINS = 100;

/** Names the option that lets pages of a refused origin in; most likely it is a page of this application. */
function warnOnce(logger: Logger): (origin: string) => void {
  const told = new Set<string>();
  return (origin) => {
    if (told.has(origin) || told.size >= MOST_ORIGINS) return;
    told.add(origin);
    if (origin === "null")
      return logger.warn(
        "a page without an origin was refused (a file, a sandboxed frame): serve it over HTTP",
      );
    logger.warn(
      `a page of ${JSON.stringify(origin)} was refused: if it is yours, set the option ` +
        `origins: [${JSON.stringify(origin)}] (with \`partyline serve\`: --origin ${origin})`,
    );
  };
}
