import { type Benchmark, COLUMNS, defineBenchmark } from "../benchmark.ts";
import { broadcast } from "../broadcast.ts";
import { BUN, PARTYLINE, PARTYLINE_CONNECT, SOCKET_IO, WS } from "../peers.ts";

const { cpuPerDelivery, rate, lost, p50, p99, rss, server, load } = COLUMNS;

/**
 * Warmed up for long: a message takes another way through the code for each of its few readers, so that it is some seconds
 * before V8 has compiled all of it well. A server runs for days.
 */
const options = { readers: 2_000, channels: 200, rate: 3_000, size: 128, warm: 10, seconds: 5 };

export const rooms: Benchmark = defineBenchmark({
  title: "Rooms",
  about: "clients publish to the others of their room, each over its own WebSocket",
  describe: ({ readers, channels, rate: messages, size, warm, seconds }) =>
    `${readers} clients in ${channels} rooms, together publishing ${messages} messages/s of ${size} bytes for ${seconds} s, after ${warm} s of the same.`,
  options,
  tiny: { readers: 10, channels: 2, rate: 50, warm: 0.1, seconds: 0.2 },
  seconds: 18,
  subjects: [PARTYLINE, PARTYLINE_CONNECT, BUN, WS, SOCKET_IO].map((peer) => ({
    name: peer.name,
    measure: async (numbers: typeof options) => ({
      figures: await broadcast(peer, { ...numbers, publishers: 0 }),
    }),
  })),
  columns: [cpuPerDelivery, rate, lost, p50, p99, rss, server, load],
});
