import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { type Benchmark, COLUMNS, defineBenchmark, type Figures } from "../benchmark.ts";
import type { FrugalOrder, FrugalReport } from "../load/order.ts";
import { start } from "../processes.ts";
import { cpuMicroseconds } from "../usage.ts";

const options = { readers: 4_000, channels: 40, publishers: 8, rate: 4_000, size: 128, warm: 2, seconds: 5 };
type Options = typeof options;

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  await once(probe.close(), "close");
  return port;
}

/**
 * Server and load have the same cores, so what both cores would deliver can't be seen. The CPU time of a delivery, that
 * of the main process included, is the server's alone. It does not tell what comes at the limit: the busier a process
 * is, the more messages share a write.
 */
async function measure(workers: number, numbers: Options): Promise<Figures> {
  const script = workers === 0 ? "partyline" : "workers";
  const told = JSON.stringify(workers === 0 ? {} : { workers, port: await freePort() });
  await using server = start(`servers/${script}.ts`, "any", { args: [told] });
  const { port } = await server.next<{ port: number }>();
  const order: FrugalOrder = { port, ...numbers };
  await using load = start("load/frugal.ts", "any", {
    args: [JSON.stringify(order)],
  });
  await load.next<"open">();
  load.tell({});
  await load.next<"warm">();
  const before = cpuMicroseconds(server.pid);
  const report = await load.next<FrugalReport>();
  const cores = (cpuMicroseconds(server.pid) - before) / 1e6 / report.seconds;
  const rate = report.deliveries / report.seconds;
  return {
    rate,
    cpuPerDelivery: (cores * 1e6) / rate,
    server: cores * 100,
    load: report.load * 100,
  };
}

const subject = (name: string, workers: number) => ({
  name,
  measure: async (numbers: Options) => ({
    figures: await measure(workers, numbers),
  }),
});

export const workers: Benchmark = defineBenchmark({
  title: "Workers",
  about: "one process, and two workers with their main process, under the same load",
  describe: ({ readers, channels, rate, size, seconds }) =>
    `${readers} readers in ${channels} channels, ${rate} messages/s of ${size} bytes offered for ${seconds} s: ` +
    `${((rate * readers) / channels).toFixed(0)} deliveries/s. Nothing is pinned.`,
  options,
  tiny: {
    readers: 10,
    channels: 2,
    publishers: 2,
    rate: 50,
    warm: 0.3,
    seconds: 0.3,
  },
  seconds: 14,
  subjects: [subject("partyline, one process", 0), subject("partyline, 2 workers", 2)],
  columns: [
    COLUMNS.rate,
    COLUMNS.cpuPerDelivery,
    { ...COLUMNS.server, head: "server, % of a core" },
    { ...COLUMNS.load, head: "load, % of a core" },
  ],
});
