/** A program that runs workers, as an application would; each line of its output is a {@link WorkersLine}. */
import { createServer } from "node:http";
import { createPartyline, type Partyline } from "../../../src/server.ts";
import { runWorkers } from "../../../src/workers/index.ts";
import type { WorkersLine, WorkersOrders } from "./messages.ts";

const { workers: count, port, dies } = JSON.parse(process.argv[2] ?? "") as WorkersOrders;

function say(line: WorkersLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

const workers = await runWorkers(
  async (broker): Promise<Partyline> => {
    if (dies === "at start") process.exit(7);
    const server = createPartyline({ broker, hosts: ["127.0.0.1"] });
    const http = createServer({ IncomingMessage: server.IncomingMessage });
    server.attach(http);
    // Without a port in common each has one of its own, so that a test can choose.
    const where = port === undefined ? { port: 0, exclusive: true } : { port };
    await new Promise<void>((resolve) => http.listen({ ...where, host: "127.0.0.1" }, resolve));
    const address = http.address();
    if (typeof address !== "object" || address === null) throw new Error("It does not listen.");
    say({ is: "worker", pid: process.pid, port: address.port });
    if (dies === "soon") setTimeout(() => process.exit(7), 10);
    return server;
  },
  { workers: count },
);
say({ is: "ready" });
process.once("SIGTERM", () => void workers.drain({ within: "25s" }));
process.stdin.on("data", () => {
  void workers.inspect().then((reports) => say({ is: "report", reports, counters: workers.counters() }));
});
// It does not outlive the test.
process.stdin.on("end", () => void workers.close());
await workers.ended;
process.stdin.destroy();
