import { type Benchmark, COLUMNS, defineBenchmark } from "../benchmark.ts";
import { broadcast } from "../broadcast.ts";
import { BROADCASTERS, BUN, PARTYLINE, PARTYLINE_SSE, type Peer } from "../peers.ts";

const { cpuPerDelivery, rate, lost, p50, p99, rss, server, load } = COLUMNS;

const options = { readers: 1_000, rate: 50, size: 128, publishers: 32, warm: 1, seconds: 5 };
const tiny = { readers: 10, publishers: 2, rate: 50, warm: 0.1, seconds: 0.2 };
type Options = typeof options;

/** Seconds, where p99 is looked at: in the first ones V8 still compiles. */
const WARM = 5;

function describe({ readers, rate: messages, size, publishers, warm, seconds }: Options): string {
  return (
    `${readers} readers of one channel, ${messages} messages/s of ${size} bytes offered for ${seconds} s, ` +
    `after ${warm} s of the same, posted over ${publishers} connections.`
  );
}

const subjects = (peers: readonly Peer[]) =>
  peers.map((peer) => ({
    name: peer.name,
    measure: async (numbers: Options) => ({ figures: await broadcast(peer, { ...numbers, channels: 1 }) }),
  }));

export const fanOut: Benchmark = defineBenchmark({
  title: "Fan-out",
  about: "each message goes to 1 000 readers, at a rate that every server keeps up with",
  describe,
  options: { ...options, publishers: 4, seconds: 6 },
  tiny,
  seconds: 9,
  subjects: subjects(BROADCASTERS),
  columns: [cpuPerDelivery, lost, p50, p99, rss, server, load],
});

export const burst: Benchmark = defineBenchmark({
  title: "Burst",
  about: "more messages than most servers can write out one by one",
  describe,
  options: { ...options, rate: 1_000, warm: WARM },
  tiny,
  seconds: 14,
  subjects: subjects(BROADCASTERS),
  columns: [rate, cpuPerDelivery, lost, p50, p99, rss, server, load],
});

export const flood: Benchmark = defineBenchmark({
  title: "Flood",
  about: "five times as many, for those that batch",
  describe,
  options: { ...options, rate: 5_000, publishers: 64, warm: WARM },
  tiny,
  seconds: 14,
  subjects: subjects([PARTYLINE, BUN, PARTYLINE_SSE]),
  columns: [rate, cpuPerDelivery, lost, p50, p99, rss, server, load],
});
