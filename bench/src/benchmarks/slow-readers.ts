import { Agent, request } from "node:http";
import { type Benchmark, COLUMNS, defineBenchmark, type Measured } from "../benchmark.ts";
import type { CrowdOrder, CrowdReport } from "../load/order.ts";
import { BUN, PARTYLINE, PARTYLINE_SSE, type Peer, SOCKET_IO, WS } from "../peers.ts";
import { type Child, start } from "../processes.ts";
import { residentMegabytes } from "../usage.ts";
import { monotonic, percentile } from "../readings.ts";
import { serve } from "../servers.ts";

/** How long the readers that were stopped are given to catch up, ms. */
const CATCH_UP = 15_000;

/** Publishing takes no longer than this, s; more messages a second than this are not counted on, one after the other. */
const LONGEST = 300;
const FASTEST = 1_000;

const options = { readers: 500, stopped: 25, megabytes: 12, size: 16_000, rate: 100 };
type Load = typeof options;

interface Case {
  readonly peer: Peer;
  readonly alive?: CrowdOrder["alive"];
}

const CASES: readonly Case[] = [
  { peer: PARTYLINE, alive: "pong" },
  { peer: PARTYLINE_SSE },
  { peer: BUN, alive: "pong" },
  { peer: WS },
  { peer: SOCKET_IO, alive: { say: "3" } },
];

export const slowReaders: Benchmark = defineBenchmark({
  title: "Slow readers",
  about:
    "readers that are stopped while messages are published: the server's memory, and the others' latency",
  describe: ({ readers, stopped, megabytes, size, rate }) =>
    `${readers} readers; ${megabytes} MB in messages of ${size} bytes at ${rate} a second, once while all read and once, with a ` +
    `server of its own, while ${stopped} are stopped. A socket on loopback takes some MB itself, which is no process's memory.`,
  options,
  tiny: { readers: 10, stopped: 2, megabytes: 0.1, rate: 100 },
  seconds: 24,
  subjects: CASES.map((one) => ({ name: one.peer.name, measure: (load: Load) => measure(one, load) })),
  columns: [
    { key: "calmGrown", head: "memory more at most, all read, MB", digits: 0 },
    {
      key: "grown",
      head: "with stopped ones",
      digits: 0,
      chart: "Memory that the server took for it, MB",
    },
    { key: "after", head: "after they went on", digits: 0 },
    { key: "calmP99", head: "p99, all read, ms", digits: 1 },
    { key: "p99", head: "others' p99 with stopped ones", digits: 1 },
    { ...COLUMNS.lost, head: "lost to others" },
  ],
});

async function measure({ peer, alive }: Case, load: Load): Promise<Measured> {
  const messages = Math.ceil((load.megabytes * 1e6) / load.size);
  if (messages / Math.min(load.rate, FASTEST) > LONGEST)
    throw new Error(`${messages} messages take longer than ${LONGEST} s: ask for fewer megabytes.`);
  const calm = await round(peer, alive, { ...load, stopped: 0, messages });
  const { grown, after, p99, lost, outcome } = await round(peer, alive, { ...load, messages });
  return {
    figures: { calmGrown: calm.grown, grown, after, calmP99: calm.p99, p99, lost: calm.lost + lost },
    ...(outcome && { note: describeOutcome(outcome) }),
  };
}

interface Round {
  /** Most memory that the server took, and what it had when those that were stopped had gone on, MB. */
  readonly grown: number;
  readonly after: number;
  readonly p99: number;
  readonly lost: number;
  readonly outcome?: CrowdReport;
}

async function round(
  peer: Peer,
  alive: CrowdOrder["alive"],
  load: Load & { readonly messages: number },
): Promise<Round> {
  const { messages } = load;
  await using server = await serve(peer.server);
  const { port } = server;
  const wire = JSON.parse(JSON.stringify(peer.wire).replaceAll("{channel}", "0")) as Peer["wire"];
  const crowd = (readers: number): Child => {
    const order: CrowdOrder = { port, wire, readers, ...(alive !== undefined && { alive }) };
    return start("load/crowd.ts", "load", { args: [JSON.stringify(order)] });
  };
  await using others = crowd(load.readers - load.stopped);
  await others.next();
  await using stopped = crowd(load.stopped);
  await stopped.next();

  const before = residentMegabytes(server.child.pid);
  let peak = before;
  const watch = setInterval(() => (peak = Math.max(peak, residentMegabytes(server.child.pid))), 100);
  stopped.signal("SIGSTOP");
  await publish(port, peer.publish.replace("{channel}", "0"), messages, load);
  const { latencies, received } = await askReport(others, messages);
  stopped.signal("SIGCONT");
  const outcome = load.stopped > 0 ? await askReport(stopped, messages) : undefined;
  clearInterval(watch);
  return {
    grown: peak - before,
    after: residentMegabytes(server.child.pid) - before,
    p99: percentile(latencies, 0.99),
    lost: (load.readers - load.stopped) * messages - received,
    ...(outcome && { outcome }),
  };
}

async function askReport(crowd: Child, until: number): Promise<CrowdReport> {
  crowd.tell({ until, within: CATCH_UP });
  return (await crowd.next<{ report: CrowdReport }>()).report;
}

/** Publishes `#number@due#` and filling, one after the other, at an even rate; what is late is made up for. */
async function publish(port: number, path: string, messages: number, { size, rate }: Load): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const filling = "x".repeat(size);
  const began = monotonic();
  for (let number = 1; number <= messages; number++) {
    const due = began + (number * 1_000) / rate;
    const wait = due - monotonic();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    await post(agent, { port, path }, `#${number}@${due}#${filling}`);
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

function describeOutcome({ complete, told, closed, behind, lost }: CrowdReport): string {
  const parts = [
    `${complete} of the stopped got all`,
    told > 0 ? `${told} were told a gap` : "",
    lost > 0 ? `${lost} messages were lost without a word` : "",
    closed > 0 ? `${closed} were closed` : "",
    behind > 0 ? `${behind} were not there after ${CATCH_UP / 1_000} s` : "",
  ];
  return parts.filter((part) => part !== "").join(", ");
}
