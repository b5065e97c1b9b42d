/** A server in a process of its own, whose past is in that of a broker. It ends at a SIGTERM, or with its parent. */
import { connectBroker } from "../../../src/brokers/machine/index.ts";
import { createPartyline } from "../../../src/server.ts";
import type { ServerOrders, ServerReport } from "./messages.ts";

/** Between two looks at how many have arrived, ms. */
const LOOK = 20;

interface Look {
  readonly at: number;
  readonly arrived: number;
}

process.on("disconnect", () => process.exit(1));
process.once("message", (orders: ServerOrders) => void serve(orders));

async function serve({ broker, port = 0, limits, drain }: ServerOrders): Promise<void> {
  const server = createPartyline({
    broker: await connectBroker(broker),
    logger: {
      info: () => undefined,
      warn: () => undefined,
      error: (message) => process.stderr.write(`${message}\n`),
    },
    ...(limits ? { limits } : {}),
  });
  const looks: Look[] = [];
  const look = (): number => {
    const arrived = server.counters().arrived?.[""] ?? 0;
    if (arrived !== looks.at(-1)?.arrived) looks.push({ at: performance.now(), arrived });
    return arrived;
  };
  const report = (): ServerReport => {
    const arrived = look();
    const { postponed, drained } = server.counters();
    return {
      arrived,
      postponed: postponed?.[""] ?? 0,
      peak: peakOf(looks),
      arriving: secondsUntil(looks, arrived),
      mostArrived: secondsUntil(looks, arrived * 0.9),
      asked: drained?.["asked"] ?? 0,
      sent: drained?.["sent"] ?? 0,
      connections: server.connections,
    };
  };
  look();
  setInterval(look, LOOK);
  process.on("message", () => process.send?.(report()));
  process.once("SIGTERM", () => {
    void (drain ? server.drain(drain) : server.close()).then(() =>
      process.send?.(report(), () => process.exit(0)),
    );
  });
  process.send?.(await server.listen(port, "127.0.0.1"));
}

/** Most that arrived within a second. */
function peakOf(looks: readonly Look[]): number {
  let peak = 0;
  let from = 0;
  for (const { at, arrived } of looks) {
    while (at - (looks[from]?.at ?? at) > 1_000) from++;
    peak = Math.max(peak, arrived - (looks[from]?.arrived ?? arrived));
  }
  return peak;
}

/** From the first that arrived to this many. */
function secondsUntil(looks: readonly Look[], many: number): number {
  const { at } = looks.find(({ arrived }) => arrived >= many) ?? { at: 0 };
  return (at - (looks[1]?.at ?? at)) / 1_000;
}
