import { createMemoryBroker, type MemoryBroker } from "../../src/brokers/memory/index.ts";
import { createPartyline, type Partyline, type PartylineOptions } from "../../src/server.ts";
import { openLine, type NetworkLine } from "../../src/testing/network-line.ts";
import { until } from "./until.ts";

/** A server, and a line to it that can be cut. */
export interface LineRig extends AsyncDisposable {
  readonly server: Partyline;
  readonly broker: MemoryBroker;
  readonly line: NetworkLine;
  /** The server, over the line. */
  readonly url: string;
  /** Publishes texts to the channel `a`. */
  publish(...texts: string[]): Promise<void>;
  /** Does what makes clients come back, and waits until one more has attached. */
  reattached(act: () => void): Promise<void>;
}

/** Starts a {@link LineRig}; over a memory broker where none is given. */
export async function startLineRig(options: PartylineOptions = {}): Promise<LineRig> {
  const broker = createMemoryBroker();
  const server = createPartyline({ broker, logger: silent, ...options });
  const { port } = await server.listen(0);
  const line = await openLine(port);
  const attached = (): number => server.counters().attached?.[""] ?? 0;
  return {
    server,
    broker,
    line,
    url: `http://127.0.0.1:${line.port}`,
    async publish(...texts) {
      for (const text of texts) await server.channel("a").publish(text);
    },
    async reattached(act) {
      act();
      const before = attached();
      await until(() => attached() > before);
    },
    async [Symbol.asyncDispose]() {
      await line.close();
      await server.close();
    },
  };
}

export const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
