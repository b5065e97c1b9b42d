import { Agent, request } from "node:http";
import type { Benchmark } from "./benchmark.ts";
import { type Peer, PEERS } from "./peers.ts";
import { placement, residentMegabytes, start } from "./processes.ts";
import { median, monotonic, percentile, type Report, table } from "./readings.ts";

/** How the readers that were stopped are given time to catch up, ms. */
const CATCH_UP = 30_000;

/** One server, once, with so many of its readers stopped. */
interface Run {
  readonly peer: string;
  readonly stopped: number;
  /** Resident memory before, at most, and after the stopped ones have gone on, MB. */
  readonly before: number;
  readonly peak: number;
  readonly after: number;
  /** Of those that read, ms. */
  readonly p50: number;
  readonly p99: number;
  readonly lost: number;
  /** What became of the stopped ones. */
  readonly outcome: Report | undefined;
}

interface Load {
  readonly readers: number;
  readonly stopped: number;
  readonly messages: number;
  readonly size: number;
  readonly rate: number;
}

export const slowReaders: Benchmark = {
  about:
    "readers that are stopped while messages are published: the server's memory, and the others' latency",
  options: { readers: 1_000, stopped: 50, megabytes: 20, size: 16_000, rate: 50, repeats: 3 },
  async run({ numbers, only, progress }) {
    const { readers = 0, stopped = 0, megabytes = 0, size = 1, rate = 1, repeats = 1 } = numbers;
    const messages = Math.ceil((megabytes * 1e6) / size);
    const runs: Run[] = [];
    for (let repeat = 1; repeat <= repeats; repeat++)
      for (const peer of PEERS.filter(({ name }) => name.includes(only)))
        for (const stop of [0, stopped]) {
          progress(`${peer.name}, ${stop} of ${readers} stopped, run ${repeat} of ${repeats}`);
          runs.push(await measure(peer, { readers, stopped: stop, messages, size, rate }));
        }
    return { raw: runs, text: [describe(numbers), table(HEAD, rows(runs)), placement].join("\n\n") };
  },
};

async function measure(peer: Peer, load: Load): Promise<Run> {
  await using server = start(`servers/${peer.server}.ts`, "server");
  const { port } = (await server.next()) as { port: number };
  const crowd = (readers: number): ReturnType<typeof start> =>
    start("crowd.ts", "load", [JSON.stringify({ port, wire: peer.reader, readers })]);
  await using others = crowd(load.readers - load.stopped);
  await others.next();
  await using stopped = crowd(load.stopped);
  await stopped.next();

  const before = residentMegabytes(server.pid);
  let peak = before;
  const watch = setInterval(() => (peak = Math.max(peak, residentMegabytes(server.pid))), 100);
  stopped.signal("SIGSTOP");
  await publish(peer, port, load);
  const reading = await askReport(others, load.messages);
  stopped.signal("SIGCONT");
  const outcome = load.stopped > 0 ? await askReport(stopped, load.messages) : undefined;
  clearInterval(watch);

  return {
    peer: peer.name,
    stopped: load.stopped,
    before,
    peak,
    after: residentMegabytes(server.pid),
    p50: percentile(reading.latencies, 0.5),
    p99: percentile(reading.latencies, 0.99),
    lost: (load.readers - load.stopped) * load.messages - reading.received,
    outcome: outcome && { ...outcome, latencies: [] },
  };
}

async function askReport(crowd: ReturnType<typeof start>, until: number): Promise<Report> {
  crowd.tell({ until, within: CATCH_UP });
  return ((await crowd.next()) as { report: Report }).report;
}

/** Publishes `#number@time#` and filling, one after the other, at an even rate; what is late is made up for. */
async function publish(peer: Peer, port: number, { messages, size, rate }: Load): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const filling = "x".repeat(size);
  const began = monotonic();
  for (let number = 1; number <= messages; number++) {
    const wait = began + (number * 1_000) / rate - monotonic();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    await post(agent, { port, path: peer.publish }, `#${number}@${monotonic()}#${filling}`);
  }
  agent.destroy();
}

function post(
  agent: Agent,
  to: { readonly port: number; readonly path: string },
  body: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "text/plain" };
    const asked = request({ host: "127.0.0.1", ...to, method: "POST", agent, headers }, (response) => {
      response.resume().on("end", resolve);
    });
    asked.on("error", reject).end(body);
  });
}

const HEAD = [
  "server",
  "stopped",
  "RSS before, MB",
  "peak",
  "after",
  "others' p50, ms",
  "p99",
  "lost to others",
  "what became of the stopped",
];

/** Medians over the repeats. */
function rows(runs: readonly Run[]): (string | number)[][] {
  const kinds = new Set(runs.map(({ peer, stopped }) => `${peer}\n${stopped}`));
  return [...kinds].map((kind) => {
    const same = runs.filter(({ peer, stopped }) => `${peer}\n${stopped}` === kind);
    const of = (value: (run: Run) => number): number => median(same.map(value));
    const [peer = "", stopped = ""] = kind.split("\n");
    return [
      peer,
      stopped,
      Math.round(of(({ before }) => before)),
      Math.round(of(({ peak }) => peak)),
      Math.round(of(({ after }) => after)),
      of(({ p50 }) => p50).toFixed(1),
      of(({ p99 }) => p99).toFixed(1),
      of(({ lost }) => lost),
      outcomeOf(same.at(-1)),
    ];
  });
}

function outcomeOf(run: Run | undefined): string {
  if (!run?.outcome) return "";
  const { complete, told, closed, behind } = run.outcome;
  const parts = [
    `${complete} got all`,
    told > 0 ? `${told} were told a gap` : "",
    closed > 0 ? `${closed} were closed` : "",
    behind > 0 ? `${behind} were not there after ${CATCH_UP / 1_000} s` : "",
  ];
  return parts.filter((part) => part !== "").join(", ");
}

function describe(numbers: Readonly<Record<string, number>>): string {
  const { readers, megabytes, size, rate, repeats } = numbers;
  return `${readers} readers, ${megabytes} MB in messages of ${size} bytes at ${rate} a second; medians of ${repeats} runs.`;
}
