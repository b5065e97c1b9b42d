import { connectBroker } from "../brokers/machine/index.ts";
import type { Broker, Logger } from "../core/ports.ts";
import type { Partyline } from "../server.ts";
import { type Envelope, isEnvelope, type Notice, type Order } from "./messages.ts";

/** What a worker serves with: a server of `createPartyline`, or something with the same of its methods. */
export type WorkerServer = Pick<Partyline, "connections" | "counters" | "drain" | "close">;

/** Makes the server of a worker; resolves when it listens. */
export type Serve = (broker: Broker) => Promise<WorkerServer>;

/** Serves until the main process says otherwise, or is gone; never resolves. */
export async function work(path: string, serve: Serve, logger: Logger): Promise<never> {
  // Ctrl-C and service managers signal to all processes at once: the main process says what is to be done.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => undefined);
  const broker = await connectBroker(path, { logger });
  let server: WorkerServer;
  try {
    server = await serve(broker);
  } catch (error) {
    await broker.close();
    throw error;
  }
  const tell = (notice: Notice): void =>
    void process.send?.({ partyline: notice } satisfies Envelope<Notice>);
  const end = (ended: Promise<void>): void => {
    ended.then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error("a worker did not end well", { pid: process.pid, error: String(error) });
        process.exit(1);
      },
    );
  };
  process.on("message", (message: unknown) => {
    if (!isEnvelope<Order>(message)) return;
    const order = message.partyline;
    switch (order.is) {
      case "drain":
        return end(server.drain(order.options));
      case "close":
        return end(server.close());
      case "report": {
        const { connections } = server;
        const report = { pid: process.pid, connections, counters: server.counters(), losses: broker.losses };
        return tell({ is: "report", n: order.n, report });
      }
    }
  });
  tell({ is: "ready" });
  return new Promise<never>(() => undefined);
}
