import cluster from "node:cluster";
import { availableParallelism } from "node:os";
import { shareBroker } from "../brokers/machine/index.ts";
import { createMemoryBroker } from "../brokers/memory/index.ts";
import type { Broker, Logger } from "../core/ports.ts";
import { has, logger as isLogger, readOptions, type Rules, whole } from "../protocol/options.ts";
import { type DrainOptions, stderrLogger } from "../server.ts";
import { Crew } from "./crew.ts";
import { BROKER_VARIABLE, type WorkerReport } from "./messages.ts";
import { type Serve, work } from "./worker.ts";

/** What {@link runWorkers} can be told. */
export interface WorkersOptions {
  /** How many. Default: as many as there are cores. */
  readonly workers?: number;
  /** The one broker of all of them; it is in the main process, and closed with it. Default: a memory broker. */
  readonly broker?: Broker;
  /** Where it is told that a worker died, or contact was lost. Default: standard error. */
  readonly logger?: Logger;
}

const RULES: Rules<WorkersOptions> = {
  workers: whole,
  broker: has("append", "read", "subscribe", "heads", "time", "close"),
  logger: isLogger,
};

/** The workers, as the main process sees them. */
export interface Workers extends AsyncDisposable {
  /** How many serve now. */
  readonly size: number;
  /** Counts since the start. */
  counters(): WorkersCounters;
  /** Asks all that serve how they are; who does not answer within a second is left out. */
  inspect(): Promise<readonly WorkerReport[]>;
  /**
   * Drains the servers of all workers, each as `server.drain` does, then ends. `rate` is that of all together.
   *
   * @throws TypeError where an option is wrong.
   */
  drain(options?: DrainOptions): Promise<void>;
  /** Closes the servers of all workers, in bounded time, then ends. */
  close(): Promise<void>;
  /** Resolves after `drain` or `close`; rejects where workers died as they started, again and again. */
  readonly ended: Promise<void>;
}

/** Counts of {@link Workers}. */
export interface WorkersCounters {
  /** Workers that were started. */
  readonly started: number;
  /** Workers that ended unasked; each was replaced. */
  readonly died: number;
  /** Contacts that the main process broke, because a worker did not read. */
  readonly broken: number;
}

/**
 * Runs a server on all cores: starts this program again in worker processes, by `node:cluster`, which share a port and
 * one broker. Order, publish ids and resuming are as with one process. A worker that dies is replaced, and costs its
 * clients a reconnect and no message; a main process that dies takes its workers along.
 *
 * In the main process it resolves when all workers serve; whatever stands behind it runs there alone. In a worker it
 * calls `serve` and never resolves. Signals are the main process's: workers do not end by SIGINT or SIGTERM.
 *
 * @throws Error where a worker ends before it serves, or this is a worker of another cluster.
 *
 * @example
 * ```ts
 * import { createPartyline } from "partyline";
 * import { runWorkers } from "partyline/workers";
 *
 * const workers = await runWorkers(async (broker) => {
 *   const server = createPartyline({ broker });
 *   await server.listen(8080);
 *   return server;
 * });
 * process.once("SIGTERM", () => void workers.drain({ within: "25s" }));
 * ```
 *
 * @example With Express.
 * ```ts
 * const workers = await runWorkers(async (broker) => {
 *   const http = createServer(app);
 *   const server = createPartyline({ broker });
 *   server.attach(http);
 *   await once(http.listen(8080), "listening");
 *   return server;
 * });
 * ```
 */
export async function runWorkers(serve: Serve, options: WorkersOptions = {}): Promise<Workers> {
  const read = readOptions("runWorkers()", options, RULES);
  const { workers: wanted = availableParallelism(), logger = stderrLogger } = read;
  if (typeof serve !== "function") throw new TypeError("runWorkers() takes a function that starts a server.");
  if (cluster.isWorker) {
    const path = process.env[BROKER_VARIABLE];
    if (path === undefined)
      throw new Error(
        "This is a worker of another cluster: use `connectBroker` of partyline/brokers/machine.",
      );
    return work(path, serve, logger);
  }

  const broker = read.broker ?? createMemoryBroker();
  const shared = await shareBroker(broker, { logger });
  let settle = { resolve: (): void => undefined, reject: (_error: Error): void => undefined };
  const ended = new Promise<void>((resolve, reject) => (settle = { resolve, reject }));
  const leave = async (): Promise<void> => {
    await shared.close();
    await broker.close();
  };
  const crew = new Crew(
    shared.path,
    wanted,
    logger,
    (error) => void leave().finally(() => settle.reject(error)),
  );
  try {
    await crew.start();
  } catch (error) {
    await leave();
    throw error;
  }
  const end = async (how: Promise<void>): Promise<void> => {
    await how;
    await leave();
    settle.resolve();
  };
  const close = (): Promise<void> => end(crew.close());
  return {
    get size() {
      return crew.size;
    },
    counters: () => ({ started: crew.started, died: crew.died, broken: shared.broken }),
    inspect: () => crew.report(),
    drain: (plan = {}) => end(crew.drain(plan)),
    close,
    ended,
    [Symbol.asyncDispose]: close,
  };
}
