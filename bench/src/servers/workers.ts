/** This library in worker processes, which share the port that the argument names. */
import { createPartyline, type Logger } from "partyline";
import { runWorkers } from "partyline/workers";

const { port, workers } = JSON.parse(process.argv[2] ?? "{}") as { port: number; workers: number };
const silent: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined };

await runWorkers(
  async (broker) => {
    const server = createPartyline({ broker, limits: { slowReader: 600_000 }, logger: silent });
    await server.listen(port, "127.0.0.1", { reusePort: process.platform === "linux" });
    return server;
  },
  { workers },
);
process.send?.({ port });
