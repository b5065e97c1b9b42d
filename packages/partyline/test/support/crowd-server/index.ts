import { fork } from "node:child_process";
import { join } from "node:path";
import type { CounterSnapshot } from "../../../src/core/counters.ts";
import type { RetentionOptions } from "../../../src/core/definitions.ts";
import type { Limits } from "../../../src/protocol/limits.ts";

/** How the server is made. */
export interface Settings {
  readonly retention?: RetentionOptions;
  readonly limits?: Partial<Limits>;
}

/** What a server holds after a collection. */
export interface Memory {
  /** Bytes of objects and buffers, those that wait in sockets among them. */
  readonly held: number;
  /** Bytes of objects alone. */
  readonly heap: number;
  /** Bytes that the process has of the system: with what V8 and malloc keep for later. */
  readonly rss: number;
  readonly counters: CounterSnapshot;
  /** Timers that are set. */
  readonly timers: number;
  /** Channels that are followed at the broker. */
  readonly subscriptions: number;
}

/** What it can be asked. */
export type Ask =
  | { readonly do: "publish"; readonly first: number; readonly count: number; readonly size: number }
  | { readonly do: "measure" };

/** A process that answers one question after the other. */
export interface Child<Question> extends AsyncDisposable {
  ask(question: Question): Promise<unknown>;
  signal(signal: "SIGSTOP" | "SIGCONT"): void;
}

/** Starts the program `child.ts` of a folder beside this one; resolves with it and what it says when it is ready. */
export async function startChild<Question>(
  folder: string,
  argument: unknown,
): Promise<{ child: Child<Question>; ready: unknown }> {
  const path = join(import.meta.dirname, "..", folder, "child.ts");
  const forked = fork(path, [JSON.stringify(argument)], { execArgv: ["--expose-gc", "--no-flush-bytecode"] });
  const next = (): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error(`${folder} has ended.`));
      forked.once("exit", ended).once("message", (message: { result: unknown }) => {
        forked.removeListener("exit", ended);
        resolve(message.result);
      });
    });
  const ready = await next();
  const child: Child<Question> = {
    ask(question) {
      const answer = next();
      forked.send(question as object);
      return answer;
    },
    signal: (signal) => void forked.kill(signal),
    async [Symbol.asyncDispose]() {
      if (forked.exitCode !== null || forked.signalCode !== null) return;
      const ended = new Promise((resolve) => forked.once("exit", resolve));
      forked.kill("SIGKILL");
      await ended;
    },
  };
  return { child, ready };
}

/** A server whose memory can be asked for. */
export interface CrowdServer extends AsyncDisposable {
  readonly port: number;
  /** Publishes `#n#` and `size` bytes of filling to the channel `a`, `count` times. */
  publish(first: number, count: number, size: number): Promise<void>;
  measure(): Promise<Memory>;
}

export async function startCrowdServer(settings: Settings): Promise<CrowdServer> {
  const { child, ready } = await startChild<Ask>("crowd-server", settings);
  return {
    port: ready as number,
    async publish(first, count, size) {
      await child.ask({ do: "publish", first, count, size });
    },
    measure: async () => (await child.ask({ do: "measure" })) as Memory,
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}
