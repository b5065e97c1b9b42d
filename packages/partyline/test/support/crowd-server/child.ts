/**
 * A server in a process of its own, whose memory can be asked for. Ends with the test's process.
 *
 * Its one argument is {@link Settings} as JSON; it listens, says so, and then does what it is asked, one by one.
 */
import { createMemoryBroker } from "../../../src/brokers/memory/index.ts";
import type { Broker } from "../../../src/core/ports.ts";
import { createPartyline } from "../../../src/server.ts";
import type { Ask, Memory, Settings } from "./index.ts";

const settings = JSON.parse(process.argv[2] ?? "{}") as Settings;
let subscriptions = 0;
const memory = createMemoryBroker();
const broker: Broker = {
  ...memory,
  subscribe(channel, listener) {
    const subscription = memory.subscribe(channel, listener);
    subscriptions += 1;
    return {
      ...subscription,
      close() {
        subscriptions -= 1;
        subscription.close();
      },
    };
  },
};
const server = createPartyline({
  broker,
  channels: { "**": settings.retention ? { retention: settings.retention } : {} },
  // Readers of bytes answer no pings, and on a busy machine a stopped one may be away for long.
  heartbeat: { ping: 3_600 },
  limits: { unauthenticatedConnections: 10_000, slowReader: 600_000, ...settings.limits },
  logger: {
    info: () => undefined,
    warn: () => undefined,
    error: (message) => void process.stderr.write(`${message}\n`),
  },
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** `#n#` and filling, from the number `first` on; a turn for each 64 KiB, as from many publishers. */
async function publish(first: number, count: number, size: number): Promise<void> {
  const filling = "x".repeat(size);
  let bytes = 0;
  for (let n = first; n < first + count; n++) {
    void server.channel("a").publish(`#${n}#${filling}`);
    bytes += size;
    if (bytes < 65_536) continue;
    bytes = 0;
    await turn();
  }
  await turn();
}

async function measure(): Promise<Memory> {
  // What a collection finalizes lets go of more.
  for (let round = 0; round < 4; round++) {
    gc?.();
    await turn();
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  const counters = server.counters();
  const timers = process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  return { held: heapUsed + external, heap: heapUsed, rss, counters, timers, subscriptions };
}

async function answer(ask: Ask): Promise<Memory | "done"> {
  switch (ask.do) {
    case "publish":
      await publish(ask.first, ask.count, ask.size);
      return "done";
    case "measure":
      return measure();
  }
}

process.on("disconnect", () => process.exit());
process.on("message", (ask: Ask) => {
  void answer(ask).then((result) => process.send?.(result));
});
process.send?.(await server.listen(0));
