import { setTimeout } from "node:timers/promises";
import { type Benchmark, defineBenchmark } from "../benchmark.ts";
import { gather } from "../broadcast.ts";
import { BROADCASTERS, PARTYLINE_CONNECT, type Peer } from "../peers.ts";
import { residentMegabytes } from "../usage.ts";
import { serve } from "../servers.ts";

/** A client of this library with five channels, of which others have some too. */
const FIVE_CHANNELS: Peer = {
  ...PARTYLINE_CONNECT,
  name: "partyline, /connect, 5 channels",
  wire: {
    ...PARTYLINE_CONNECT.wire,
    subscribe: {
      say: [
        '{"t":"hello","v":1}',
        ...[1, 2, 3, 4, 5].map((n) => `{"t":"attach","n":${n},"channel":"r{channel}/${n}"}`),
      ].join("\n"),
      answer: '"n":5',
    },
  },
};

const subjects: readonly Peer[] = BROADCASTERS.toSpliced(1, 0, FIVE_CHANNELS);

const options = { connections: 10_000, channels: 200, wait: 2 };

export const idle: Benchmark = defineBenchmark({
  title: "Idle",
  about: "what a connection costs that has nothing to do",
  describe: ({ connections, channels, wait }) =>
    `${connections} connections in ${channels} channels (or five each of ${channels * 5}), nothing published; ` +
    `memory is the process's resident memory ${wait} s after the last one, less what it had before.`,
  options,
  tiny: { connections: 10, channels: 2, wait: 0.01 },
  seconds: 8,
  subjects: subjects.map((peer) => ({
    name: peer.name,
    async measure({ connections, channels, wait }: typeof options) {
      await using server = await serve(peer.server);
      const before = residentMegabytes(server.child.pid);
      await using crowd = await gather(server, { wire: peer.wire, connections, channels });
      await setTimeout(wait * 1_000);
      const after = residentMegabytes(server.child.pid);
      return {
        figures: {
          memory: ((after - before) * 1e6) / 1_024 / connections,
          rss: after,
          cpu: crowd.opened.cpu / connections,
        },
      };
    },
  })),
  columns: [
    {
      key: "memory",
      head: "KiB per connection",
      digits: 1,
      chart: "Memory per idle connection, KiB",
      cost: true,
    },
    {
      key: "cpu",
      head: "CPU to connect, µs",
      digits: 0,
      chart: "CPU time of the server to connect one, µs",
      cost: true,
    },
    { key: "rss", head: "RSS, MB", digits: 0 },
  ],
});
