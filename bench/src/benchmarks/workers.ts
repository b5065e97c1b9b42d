import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { type Benchmark, COLUMNS, defineBenchmark, type Figures } from "../benchmark.ts";
import type { FrugalOrder, FrugalReport } from "../load/order.ts";
import { start } from "../processes.ts";
import { cpuMicroseconds } from "../usage.ts";

const options = { readers: 5_000, channels: 50, size: 128, warm: 1, seconds: 5 };
type Options = typeof options;

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  await once(probe.close(), "close");
  return port;
}

/**
 * How much they deliver when they are as busy as can be. Server and load share the cores, and the load takes next to
 * nothing of them.
 */
async function measure(workers: number, numbers: Options): Promise<Figures> {
  const script = workers === 0 ? "partyline" : "workers";
  const told = JSON.stringify(workers === 0 ? {} : { workers, port: await freePort() });
  await using server = start(`servers/${script}.ts`, "any", { args: [told] });
  const { port } = await server.next<{ port: number }>();
  const order: FrugalOrder = { port, ...numbers };
  await using load = start("load/frugal.ts", "any", { args: [JSON.stringify(order)] });
  await load.next<"open">();
  load.tell({});
  await load.next<"warm">();
  const before = cpuMicroseconds(server.pid);
  await load.next<"measured">();
  const cpu = cpuMicroseconds(server.pid) - before;
  const report = await load.next<FrugalReport>();
  return {
    rate: report.deliveries / report.seconds,
    cpuPerDelivery: cpu / report.deliveries,
    lost: report.lost,
    server: cpu / 1e4 / report.seconds,
    load: report.load * 100,
  };
}

const subject = (name: string, workers: number) => ({
  name,
  measure: async (numbers: Options) => ({ figures: await measure(workers, numbers) }),
});

export const workers: Benchmark = defineBenchmark({
  title: "Workers",
  about: "one process, and workers with their main process, each as busy as it can be",
  describe: ({ readers, channels, size, seconds }) =>
    `${readers} readers in ${channels} channels, messages of ${size} bytes for ${seconds} s, as fast as the server is: the ` +
    `next message of a channel is published when the one before it has come. Nothing is pinned.`,
  options,
  tiny: { readers: 10, channels: 2, warm: 0.3, seconds: 0.3 },
  seconds: 9,
  subjects: [
    subject("partyline, one process", 0),
    subject("partyline, 1 worker", 1),
    subject("partyline, 2 workers", 2),
    subject("partyline, 3 workers", 3),
  ],
  columns: [
    COLUMNS.rate,
    COLUMNS.cpuPerDelivery,
    COLUMNS.lost,
    { ...COLUMNS.server, head: "server, % of a core" },
    { ...COLUMNS.load, head: "load, % of a core" },
  ],
});
