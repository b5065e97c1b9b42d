import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { Engine } from "../core/ports.ts";
import { PartylineError } from "../protocol/errors.ts";
import { type CompressionOptions, createCompression } from "../transports/deflate.ts";
import { Registry } from "../transports/registry.ts";
import { createIncomingMessageClass, type IncomingMessageClass } from "../transports/stream-request.ts";
import { DEFAULT_HEARTBEAT, type Heartbeat } from "../transports/surroundings.ts";
import { Admission } from "./admission.ts";
import { attachTo } from "./attach.ts";
import { createFetchHandler, type FetchHandler } from "./fetch-host.ts";
import { createGate } from "./gate.ts";
import { NodeHost } from "./node-host.ts";
import { answerUnknown, createOwnServer } from "./own-server.ts";
import { createRouter } from "./routes.ts";
import type { Service } from "./service.ts";
import { Upgrades } from "./upgrades.ts";

/** What {@link createHttpService} is told. */
export interface HttpOptions {
  readonly path?: string;
  readonly hosts?: readonly string[];
  readonly origins?: readonly string[];
  readonly heartbeat?: Partial<Heartbeat>;
  readonly compression?: boolean | CompressionOptions;
}

/** Everything that a server does over HTTP. */
export interface HttpService {
  readonly IncomingMessage: IncomingMessageClass;
  readonly fetch: FetchHandler;
  /** WebSockets and streams that are open. */
  readonly connections: number;
  listen(port: number, host: string | undefined): Promise<AddressInfo>;
  attach(server: Server): void;
  handler(request: IncomingMessage, response: ServerResponse, next?: () => void): void;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
  /** Ends everything; what has not ended by itself after `grace` ms is destroyed. */
  close(grace: number): Promise<void>;
}

/** Puts the hosts together, over one service. */
export function createHttpService(engine: Engine, options: HttpOptions): HttpService {
  const { path = "", hosts = [], origins = [], heartbeat, compression = false } = options;
  const registry = new Registry(engine.wheel);
  const service: Service = {
    engine,
    registry,
    heartbeat: { ...DEFAULT_HEARTBEAT, ...heartbeat },
    compression:
      compression === false ? undefined : createCompression(compression === true ? {} : compression),
    router: createRouter(path),
    admission: new Admission(engine.limits, engine.logger),
    polls: new Set(),
    draining: false,
  };
  const cross = origins.length > 0;
  const hostFor = (loopback: boolean): NodeHost =>
    new NodeHost(service, { gate: createGate({ hosts, origins, loopback }), cross, loopback });
  // As a guest nobody knows under which name the host is reached.
  const guest = hostFor(false);
  const guestUpgrades = new Upgrades(guest);
  const fetch = createFetchHandler(service, { gate: createGate({ hosts, origins, loopback: false }), cross });
  const servers = new Set<Server>();
  const detachments: (() => void)[] = [];
  let warned = false;

  const warnOfAnyHost = (): void => {
    if (warned || hosts.length > 0) return;
    warned = true;
    engine.logger.warn("requests for any host name are answered: name your own in the option `hosts`");
  };

  return {
    IncomingMessage: createIncomingMessageClass(guest.owns),
    get connections() {
      return registry.size;
    },
    fetch(request, info) {
      warnOfAnyHost();
      return fetch(request, info);
    },
    async listen(port, host) {
      const loopback = isLoopbackHost(host);
      if (!loopback) warnOfAnyHost();
      const nodeHost = hostFor(loopback);
      const server = createOwnServer(nodeHost, new Upgrades(nodeHost));
      servers.add(server);
      await listening(server, port, host);
      return server.address() as AddressInfo;
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
    async close(grace) {
      const reason = new PartylineError("draining", "This server is ending.", { retryAfter: 1 });
      service.draining = true;
      for (const detach of detachments) detach();
      const closed = [...servers].map(closeServer);
      for (const end of [...service.polls]) end(reason);
      registry.closeAll(reason);
      await within(engine, grace, Promise.all([registry.emptied(), ...closed]));
      registry.destroyAll();
      for (const server of servers) server.closeAllConnections();
      await within(engine, grace, Promise.all(closed));
    },
  };
}

function listening(server: Server, port: number, host: string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.removeListener("error", reject);
      resolve();
    });
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
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

function isLoopbackHost(host: string | undefined): boolean {
  return host !== undefined && (host === "localhost" || host === "::1" || /^127\.[\d.]+$/.test(host));
}
