import { type Benchmark, COLUMNS, defineBenchmark, type Measured } from "../benchmark.ts";
import type { Answers, AskOrder, Wire } from "../load/order.ts";
import { PARTYLINE_CONNECT, upgrade } from "../peers.ts";
import { start } from "../processes.ts";
import { type Program, serve } from "../servers.ts";

/** It takes some 30 000 publishes until V8 has compiled all that one passes through: before, it costs twice as much. */
const options = { connections: 32, size: 128, warm: 5, seconds: 4 };

interface Case {
  readonly name: string;
  readonly server: Program;
  readonly wire?: Wire;
}

const { wire } = PARTYLINE_CONNECT;
const UNBOUND = { limits: { commandsPerSecond: 1e9, commandBurst: 1e9 } };

const CASES: readonly Case[] = [
  {
    name: "partyline, /connect",
    server: { script: "partyline", options: UNBOUND },
    wire: { ...wire, subscribe: { say: '{"t":"hello","v":1}', answer: '"welcome"' } },
  },
  {
    name: "ws, parses and answers",
    server: { script: "ws-answer" },
    wire: { opening: upgrade("/"), opened: wire.opened, counts: "frames", says: wire.says },
  },
  { name: "partyline, POST", server: { script: "partyline" } },
  { name: "node:http, reads and answers", server: { script: "http-answer" } },
];

export const acknowledged: Benchmark = defineBenchmark({
  title: "Acknowledged publish",
  about: "each connection publishes, waits for the answer and publishes again; nobody subscribes",
  describe: ({ connections, size, warm, seconds }) =>
    `${connections} connections for ${seconds} s, after ${warm} s of the same, each with one message of ${size} bytes under way, all to one channel. ` +
    "The limit of commands on one connection is lifted.",
  options,
  tiny: { connections: 2, warm: 0.05, seconds: 0.1 },
  seconds: 11,
  subjects: CASES.map((one) => ({ name: one.name, measure: (load: typeof options) => measure(one, load) })),
  columns: [
    { key: "rate", head: "answers/s", digits: 0, chart: "Answered publishes per second" },
    {
      key: "cpu",
      head: "CPU per publish, µs",
      digits: 1,
      chart: "CPU time of the server per publish, µs",
      cost: true,
    },
    { key: "lost", head: "refused", digits: 0 },
    { ...COLUMNS.p50, digits: 2 },
    { key: "p99", head: "p99, ms", digits: 2 },
    COLUMNS.server,
    COLUMNS.load,
  ],
});

async function measure({ server: program, wire: speaks }: Case, load: typeof options): Promise<Measured> {
  await using server = await serve(program);
  const order: AskOrder = {
    port: server.port,
    server: server.child.pid,
    path: "/channels/r0",
    ...(speaks && { wire: speaks }),
    ...load,
  };
  await using asker = start("load/asker.ts", "load", { args: [JSON.stringify(order)] });
  const { answers, refused, seconds, cpu, load: busy, p50, p99 } = await asker.next<Answers>();
  return {
    figures: {
      rate: answers / seconds,
      cpu: cpu / answers,
      lost: refused,
      p50,
      p99,
      server: (cpu / 1e6 / seconds) * 100,
      load: busy * 100,
    },
  };
}
