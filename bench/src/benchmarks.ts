import type { Benchmark } from "./benchmark.ts";
import { compression } from "./benchmarks/compression.ts";
import { burst, fanOut, flood } from "./benchmarks/fan-out.ts";
import { idle } from "./benchmarks/idle.ts";
import { rooms } from "./benchmarks/rooms.ts";
import { slowReaders } from "./benchmarks/slow-readers.ts";

/** All of them by name, in the order in which they are run. */
export const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  "fan-out": fanOut,
  burst,
  flood,
  rooms,
  idle,
  compression,
  "slow-readers": slowReaders,
};
