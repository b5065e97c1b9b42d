import cluster, { type Worker } from "node:cluster";
import { milliseconds } from "../core/duration.ts";
import type { Logger } from "../core/ports.ts";
import { type DrainOptions, WARNED_VARIABLE } from "../server.ts";
import {
  BROKER_VARIABLE,
  type Envelope,
  isEnvelope,
  type Notice,
  type Order,
  type WorkerReport,
} from "./messages.ts";
import { afterDeath, SETTLED } from "./restart.ts";

/** A worker that does not end by itself is killed so long after it should have, ms. */
const PATIENCE = 10_000;

/** A worker that does not answer within this is left out of a report, ms. */
const REPORT_PATIENCE = 1_000;

interface Member {
  readonly worker: Worker;
  readonly since: number;
  /** When it began to serve. */
  readySince: number | undefined;
}

/** The workers of a main process: starts them, replaces those that die, ends them. */
export class Crew {
  readonly #path: string;
  readonly #wanted: number;
  readonly #logger: Logger;
  readonly #gaveUp: (error: Error) => void;
  readonly #members = new Set<Member>();
  readonly #restarts = new Set<ReturnType<typeof setTimeout>>();
  #is: "starting" | "serving" | "ending" = "starting";
  #failures = 0;
  #reports = 0;
  started = 0;
  died = 0;

  /** @param gaveUp Called once, when workers die as they start and nobody serves: all have ended then. */
  constructor(path: string, wanted: number, logger: Logger, gaveUp: (error: Error) => void) {
    this.#path = path;
    this.#wanted = wanted;
    this.#logger = logger;
    this.#gaveUp = gaveUp;
  }

  get size(): number {
    return [...this.#members].filter(({ readySince }) => readySince !== undefined).length;
  }

  /**
   * Resolves when all serve.
   *
   * @throws Error where one can't; all have ended then.
   */
  async start(): Promise<void> {
    try {
      // What is wrong with all of them is said once.
      await this.#hire();
      await Promise.all(Array.from({ length: this.#wanted - 1 }, () => this.#hire()));
    } catch (error) {
      await this.close();
      throw error;
    }
    if (this.#is === "starting") this.#is = "serving";
  }

  async report(): Promise<WorkerReport[]> {
    const asked = [...this.#members].filter(({ readySince }) => readySince !== undefined);
    const reports = await Promise.all(asked.map(({ worker }) => this.#askForReport(worker)));
    return reports.filter((report) => report !== undefined);
  }

  /** @throws TypeError where an option is wrong. */
  async drain({ within = "25s", rate = 200 }: DrainOptions): Promise<void> {
    const time = milliseconds(within);
    if (!(rate > 0)) throw new TypeError(`\`rate\` is a number above 0, not ${JSON.stringify(rate)}.`);
    const each = rate / Math.max(1, this.#members.size);
    await this.#end({ is: "drain", options: { within: time, rate: each } }, time + PATIENCE);
  }

  async close(): Promise<void> {
    await this.#end({ is: "close" }, PATIENCE);
  }

  async #end(order: Order, patience: number): Promise<void> {
    this.#is = "ending";
    for (const timer of this.#restarts) clearTimeout(timer);
    const members = [...this.#members];
    const kill = setTimeout(() => {
      for (const { worker } of members) worker.process.kill("SIGKILL");
    }, patience);
    await Promise.all(
      members.map(async ({ worker, readySince }) => {
        const gone = new Promise((resolve) => worker.once("exit", resolve));
        // Who has not begun to serve does not listen to orders yet, and nobody is there.
        if (readySince === undefined) worker.process.kill("SIGKILL");
        else send(worker, order);
        if (!worker.isDead()) await gone;
      }),
    );
    clearTimeout(kill);
  }

  /** Resolves when it serves, rejects when it ends before that. */
  #hire(): Promise<void> {
    // The first one starts alone, and warns for all.
    const warned = this.started > 0 ? { [WARNED_VARIABLE]: "1" } : {};
    const worker = cluster.fork({ [BROKER_VARIABLE]: this.#path, ...warned });
    const member: Member = { worker, since: performance.now(), readySince: undefined };
    this.#members.add(member);
    this.started++;
    // A worker that dies while something is sent to it: its `exit` tells.
    worker.on("error", () => undefined);
    return new Promise((resolve, reject) => {
      worker.on("message", (message: unknown) => {
        if (!isEnvelope<Notice>(message) || message.partyline.is !== "ready") return;
        member.readySince = performance.now();
        resolve();
      });
      worker.once("exit", (code: number, signal: string) => {
        this.#members.delete(member);
        const how = signal ? `was ended by ${signal}` : `ended with code ${code}`;
        reject(new Error(`A worker ${how} before it served.`));
        const failedStart = this.#is === "starting" && member.readySince === undefined;
        if (this.#is !== "ending" && !failedStart) this.#replace(member, how);
      });
    });
  }

  #replace({ worker, since }: Member, how: string): void {
    this.died++;
    const now = performance.now();
    const othersSettled = [...this.#members].some(({ readySince = now }) => now - readySince >= SETTLED);
    const { failures, delay } = afterDeath(this.#failures, { lived: now - since, othersSettled });
    this.#failures = failures;
    const details = { pid: worker.process.pid, how };
    if (delay === undefined) {
      this.#logger.error("workers die as they start: giving up", { ...details, failures });
      const error = new Error(`The workers die as they start: the last one ${how}.`);
      void this.close().then(() => this.#gaveUp(error));
      return;
    }
    this.#logger.error("a worker died: another one takes its place", { ...details, inMs: delay });
    const timer = setTimeout(() => {
      this.#restarts.delete(timer);
      this.#hire().catch(() => undefined);
    }, delay);
    this.#restarts.add(timer);
  }

  #askForReport(worker: Worker): Promise<WorkerReport | undefined> {
    const n = ++this.#reports;
    return new Promise((resolve) => {
      const answer = (report?: WorkerReport): void => {
        clearTimeout(timer);
        worker.off("message", hear).off("exit", leave);
        resolve(report);
      };
      const hear = (message: unknown): void => {
        if (!isEnvelope<Notice>(message)) return;
        const notice = message.partyline;
        if (notice.is === "report" && notice.n === n) answer(notice.report);
      };
      const leave = (): void => answer();
      const timer = setTimeout(leave, REPORT_PATIENCE);
      worker.on("message", hear).on("exit", leave);
      send(worker, { is: "report", n });
    });
  }
}

function send(worker: Worker, order: Order): void {
  if (worker.isConnected()) worker.send({ partyline: order } satisfies Envelope<Order>);
}
