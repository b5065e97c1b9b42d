import cluster from "node:cluster";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { type Broker, createPartyline, type Listening, type Partyline } from "../../server.ts";
import { runWorkers, type Workers } from "../../workers/index.ts";
import { CliError, EXIT, systemCode } from "../exit.ts";
import { aborted, Interrupted, interruptSignal } from "../interrupt.ts";
import { columnsOf } from "../text.ts";
import { banner } from "./banner.ts";
import { type Drained, drainServer } from "./drain.ts";
import { readTls, type TlsFiles, tlsError } from "./read-tls.ts";
import { authenticateToken } from "./authenticate-token.ts";

/** What the command line says. */
export interface ServeOptions extends TlsFiles {
  readonly port: number;
  readonly host: string;
  readonly open?: boolean;
  readonly origin?: readonly string[];
  readonly hostname?: readonly string[];
  readonly retention: number;
  /** Seconds that clients are given to leave after a SIGTERM. */
  readonly drain: number;
  readonly workers: number;
}

/** What serves, and where. */
interface Running extends Drained {
  readonly port: number;
  /** What the name or address to listen on was resolved to. */
  readonly address: string;
  /** Rejects where it can't go on. */
  readonly ended: Promise<void>;
  close(): Promise<void>;
}

/**
 * Serves until a signal comes; ending by one is how a server ends, so it is no failure. Who stops it by hand does not
 * want to wait; a SIGTERM is part of a deploy, and lets the clients go.
 */
export async function runServe(options: ServeOptions): Promise<void> {
  // The banner is all that is printed: a server goes on if nobody reads it.
  process.stdout.removeAllListeners("error").on("error", () => undefined);
  const { open = false, drain } = options;
  if (cluster.isWorker) return void (await work(options));
  const signal = interruptSignal(drain * 1_000);
  const given = process.env["PARTYLINE_TOKEN"] || undefined;
  const token = (process.env["PARTYLINE_TOKEN"] = given ?? randomBytes(24).toString("base64url"));
  const running = await (options.workers > 1 ? startWorkers(options) : startServer(options));
  try {
    const made = given === undefined && !open;
    const publishing = open ? "open" : made ? "made token" : "given token";
    const columns = columnsOf(process.stdout, process.env);
    const tls = options.tlsCert !== undefined;
    console.log(banner({ address: running.address, port: running.port, tls, publishing, token, columns }));
    await Promise.race([aborted(signal), running.ended]);
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    if (error.exitCode === EXIT.terminated && drain > 0)
      await drainServer(running, drain * 1_000, process.stderr);
  } finally {
    await running.close();
  }
}

/** In this process. */
async function startServer(options: ServeOptions): Promise<Running> {
  const server = createServerFor(options);
  const { port, address } = await listen(server, options);
  return {
    port,
    address,
    ended: new Promise(() => undefined),
    connections: () => server.connections,
    drain: (plan) => server.drain(plan),
    close: () => server.close(),
  };
}

/** In processes of their own, which are this program again. */
async function startWorkers(options: ServeOptions): Promise<Running> {
  const { port, address } = await findPort(options);
  cluster.setupPrimary({ args: [...process.argv.slice(2), "--port", String(port)] });
  const workers = await work(options).catch((error: unknown) => {
    throw failure(error, "What it said stands above.");
  });
  return {
    port,
    address,
    ended: workers.ended.catch((error: unknown) => {
      throw failure(error);
    }),
    async connections() {
      const reports = await workers.inspect();
      return reports.reduce((sum, report) => sum + report.connections, 0);
    },
    drain: (plan) => workers.drain(plan),
    close: () => workers.close(),
  };
}

/** For the main process and for the workers. */
function work(options: ServeOptions): Promise<Workers> {
  const serve = async (broker: Broker): Promise<Partyline> => {
    const server = createServerFor(options, broker);
    await listen(server, options);
    return server;
  };
  return runWorkers(serve, { workers: options.workers });
}

function failure(error: unknown, remedy?: string): CliError {
  return new CliError(error instanceof Error ? error.message : String(error), remedy, EXIT.failed, error);
}

function createServerFor(options: ServeOptions, broker?: Broker): Partyline {
  const { open = false, origin, hostname, retention } = options;
  return createPartyline({
    ...(broker === undefined ? {} : { broker }),
    retention: { count: retention },
    ...(origin === undefined ? {} : { origins: origin }),
    ...(hostname === undefined ? {} : { hosts: hostname }),
    ...(open ? {} : { authenticate: authenticateToken(process.env["PARTYLINE_TOKEN"] ?? "") }),
  });
}

async function listen(server: Partyline, options: ServeOptions): Promise<Listening> {
  const tls = await readTls(options);
  // Where it can be, the system shares out connections: the main process has the broker to attend to.
  const reusePort = cluster.isWorker && process.platform === "linux";
  try {
    return await server.listen(options.port, options.host, { reusePort, ...(tls ? { tls } : {}) });
  } catch (error) {
    throw listenError(error, options);
  }
}

/** A port that all workers can listen on, and nobody else does: they could not tell. */
async function findPort(options: ServeOptions): Promise<AddressInfo> {
  const probe = createServer();
  try {
    await once(probe.listen(options.port, options.host), "listening");
  } catch (error) {
    throw listenError(error, options);
  }
  const bound = probe.address() as AddressInfo;
  await once(probe.close(), "close");
  return bound;
}

function listenError(error: unknown, { port, host }: ServeOptions): unknown {
  if (error instanceof TypeError) return tlsError(error);
  const code = systemCode(error);
  if (code === "EADDRINUSE")
    return new CliError(`Port ${port} is taken.`, "Choose another one with --port, or 0 for a free one.");
  if (code === "EACCES")
    return new CliError(`Port ${port} needs more rights.`, "Choose one from 1024 on with --port.");
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND")
    return new CliError(`${host} is no address of this machine.`, "Choose another one with --host.");
  return error;
}
