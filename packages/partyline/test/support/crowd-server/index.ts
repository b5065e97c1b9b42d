import type { CounterSnapshot } from "../../../src/core/counters.ts";
import type { RetentionOptions } from "../../../src/core/definitions.ts";
import type { Limits } from "../../../src/protocol/limits.ts";
import { startChild } from "../child.ts";

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

/** A server whose memory can be asked for. */
export interface CrowdServer extends AsyncDisposable {
  readonly port: number;
  /** Publishes `#n#` and `size` bytes of filling to the channel `a`, `count` times. */
  publish(first: number, count: number, size: number): Promise<void>;
  measure(): Promise<Memory>;
}

export async function startCrowdServer(settings: Settings): Promise<CrowdServer> {
  const execArgv = ["--expose-gc", "--no-flush-bytecode"];
  const child = startChild("crowd-server", [JSON.stringify(settings)], { execArgv });
  const ask = (question: Ask): Promise<unknown> => child.ask(question);
  const { port } = await child.next<{ port: number }>();
  return {
    port,
    async publish(first, count, size) {
      await ask({ do: "publish", first, count, size });
    },
    measure: async () => (await ask({ do: "measure" })) as Memory,
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}
