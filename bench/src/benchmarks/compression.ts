import { type Benchmark, type Column, COLUMNS, defineBenchmark, type Subject } from "../benchmark.ts";
import type { PackedOrder, PackedPhase } from "../load/packed.ts";
import { stream, upgrade } from "../peers.ts";
import { start } from "../processes.ts";
import { type Program, serve } from "../servers.ts";

const SIZES = [
  { name: "128 B", key: "small", size: 128 },
  { name: "1 KiB", key: "middle", size: 1_024 },
  { name: "16 KiB", key: "large", size: 16_384 },
] as const;

const options = { readers: 1_000, rate: 20, seconds: 4 };
type Options = typeof options;

interface Way extends Pick<PackedOrder, "wire" | "packs" | "path"> {
  readonly name: string;
  readonly server: Program;
}

const plain = { script: "partyline" };
const packs = { script: "partyline", options: { compression: true } };
const path = "/channels/r0";

const WAYS: readonly Way[] = [
  { name: "partyline", server: plain, wire: "WebSocket", packs: false, path },
  { name: "partyline, permessage-deflate", server: packs, wire: "WebSocket", packs: true, path },
  {
    name: "ws, permessage-deflate",
    server: { script: "ws", options: { perMessageDeflate: true } },
    wire: "WebSocket",
    packs: true,
    path: "/r0",
  },
  { name: "partyline, SSE", server: plain, wire: "event stream", packs: false, path },
  { name: "partyline, SSE, gzip", server: packs, wire: "event stream", packs: true, path },
];

function opening({ wire, packs: takes, path: at }: Way): string {
  const request = wire === "WebSocket" ? upgrade(at) : stream(at);
  if (!takes) return request;
  const header =
    wire === "WebSocket" ? "Sec-WebSocket-Extensions: permessage-deflate" : "Accept-Encoding: gzip";
  return `${request.slice(0, -2)}${header}\r\n\r\n`;
}

const subjects: readonly Subject<keyof Options>[] = WAYS.map((way) => ({
  name: way.name,
  async measure({ readers, rate, seconds }) {
    await using server = await serve(way.server);
    const { wire, packs: takes, path: at } = way;
    const order: PackedOrder = {
      port: server.port,
      server: server.child.pid,
      opening: opening(way),
      wire,
      packs: takes,
      path: at,
      readers,
    };
    await using load = start("load/packed.ts", "load", { args: [JSON.stringify(order)] });
    await load.next(90_000);
    const figures: Record<string, number> = { lost: 0 };
    for (const { key, size } of SIZES) {
      load.tell({ rate, seconds, size });
      const { expected, received, bytes, cpu } = await load.next<PackedPhase>((seconds + 60) * 1_000);
      figures[`${key}Bytes`] = bytes;
      figures[`${key}Cpu`] = cpu / expected;
      figures["lost"] = (figures["lost"] ?? 0) + expected - received;
    }
    return { figures };
  },
}));

const columns: readonly Column[] = SIZES.flatMap(({ name, key }) => [
  { key: `${key}Bytes`, head: `${name}: bytes`, digits: 0 },
  {
    key: `${key}Cpu`,
    head: `CPU, µs`,
    digits: 2,
    ...(key === "large" && { chart: `CPU time of the server per delivery of ${name}, µs` }),
  },
]);

export const compression: Benchmark = defineBenchmark({
  title: "Compression",
  about: "bytes on the wire and CPU time of a delivery, with and without",
  describe: ({ readers, rate, seconds }) =>
    `${readers + 1} readers of one channel, ${rate} messages/s of JSON for ${seconds} s, in three sizes.`,
  options,
  tiny: { readers: 4, rate: 50, seconds: 0.1 },
  seconds: 25,
  subjects,
  columns: [...columns, COLUMNS.lost],
});
