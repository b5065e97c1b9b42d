import { type Benchmark, defineBenchmark, type Measured } from "../benchmark.ts";
import { gather } from "../broadcast.ts";
import type { Asked, Filled, Wire } from "../load/order.ts";
import { PARTYLINE, PARTYLINE_CONNECT, PARTYLINE_SSE, upgrade } from "../peers.ts";
import { record } from "../recording.ts";
import { type Running, serve } from "../servers.ts";

const options = { connections: 10_000, behind: 100, size: 128 };
type Load = typeof options;

/** How a reader says where it goes on, in what it says to open its connection. */
interface Way {
  readonly name: string;
  readonly wire: (since: string) => Wire;
}

const SINCE = "?since=";

const WAYS: readonly Way[] = [
  {
    name: "WebSocket",
    wire: (since) => ({
      ...PARTYLINE.wire,
      opening: upgrade(`/channels/r0${SINCE}${since}`),
      counts: "marks",
    }),
  },
  {
    name: "SSE",
    wire: (since) => ({
      ...PARTYLINE_SSE.wire,
      opening: PARTYLINE_SSE.wire.opening.replace("\r\n\r\n", `\r\nLast-Event-ID: ${since}\r\n\r\n`),
    }),
  },
  {
    name: "/connect",
    wire: (since) => ({
      ...PARTYLINE_CONNECT.wire,
      subscribe: {
        say: `{"t":"hello","v":1}\n{"t":"attach","n":1,"channel":"r0","since":"${since}"}`,
        answer: '"attached"',
      },
    }),
  },
];

export const catchUp: Benchmark = defineBenchmark({
  title: "Catch-up",
  about:
    "everybody comes at once and resumes from some messages back; beside a server that sends the same bytes ready",
  describe: ({ connections, behind, size }) =>
    `${connections} clients connect, as fast as they are let in, and resume ${behind} messages of ${size} bytes back; ` +
    "measured from the first connection until all have everything. “Ready bytes” is a node:http server that upgrades, " +
    "or begins an event stream, and writes each client the same recorded bytes in one piece.",
  options,
  tiny: { connections: 10, behind: 5 },
  seconds: 9,
  subjects: WAYS.flatMap((way) => [
    { name: `partyline, ${way.name}`, measure: (load: Load) => measure(way, load, false) },
    { name: `ready bytes, ${way.name}`, measure: (load: Load) => measure(way, load, true) },
  ]),
  columns: [
    {
      key: "cpu",
      head: "CPU per client, µs",
      digits: 0,
      chart: "CPU time of the server per client, µs",
      cost: true,
    },
    { key: "seconds", head: "all there after, s", digits: 2 },
    { key: "kilobytes", head: "kB per client", digits: 1 },
    { key: "lost", head: "lost", digits: 0 },
  ],
});

async function measure({ wire }: Way, load: Load, ready: boolean): Promise<Measured> {
  const { connections, behind } = load;
  await using server = await serve({ script: "partyline" });
  const speaks = wire(await publishPast(server, load));
  if (!ready) return { figures: await comeBack(server, speaks, load) };
  using recording = await record({
    port: server.port,
    opening: speaks.opening.replaceAll("{channel}", "0"),
    says: speaks.subscribe ? [speaks.subscribe] : [],
    messages: behind,
  });
  await server[Symbol.asyncDispose]();
  await using yardstick = await serve({ script: "ready", options: recording });
  return { figures: await comeBack(yardstick, speaks, { ...load, connections }) };
}

/** Publishes what will be missed; returns the position before it. */
async function publishPast({ child }: Running, { behind, size }: Load): Promise<string> {
  const asked: Asked = { do: "fill", messages: behind * 2, channels: 1, size, together: 1 };
  child.tell(asked);
  const { position } = await child.next<Filled>();
  return position.replace(/:\d+$/, `:${behind}`);
}

async function comeBack(
  server: Running,
  wire: Wire,
  { connections, behind }: Load,
): Promise<Measured["figures"]> {
  await using crowd = await gather(server, { wire, connections, channels: 1, awaits: behind });
  const { cpu, seconds, received, bytes } = crowd.opened;
  return {
    cpu: cpu / connections,
    seconds,
    kilobytes: bytes / 1e3 / connections,
    lost: connections * behind - received,
  };
}
