import type { Benchmark } from "./benchmark.ts";
import { acknowledged } from "./benchmarks/acknowledged.ts";
import { catchUp } from "./benchmarks/catch-up.ts";
import { client } from "./benchmarks/client.ts";
import { compression } from "./benchmarks/compression.ts";
import { manyChannels } from "./benchmarks/many-channels.ts";
import { burst, fanOut, flood } from "./benchmarks/fan-out.ts";
import { idle } from "./benchmarks/idle.ts";
import { rooms } from "./benchmarks/rooms.ts";
import { slowReaders } from "./benchmarks/slow-readers.ts";
import { workers } from "./benchmarks/workers.ts";

/** All of them by name, in the order in which they are run. */
export const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  "fan-out": fanOut,
  burst,
  flood,
  rooms,
  idle,
  "catch-up": catchUp,
  "slow-readers": slowReaders,
  acknowledged,
  "many-channels": manyChannels,
  compression,
  client,
  workers,
};
