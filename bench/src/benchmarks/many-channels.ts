import { type Benchmark, defineBenchmark, type Measured } from "../benchmark.ts";
import type { Asked, Filled } from "../load/order.ts";
import { serve } from "../servers.ts";

const options = { channels: 100_000, few: 10, messages: 200_000, size: 128 };
const TOGETHER = 100;
type Load = typeof options;

export const manyChannels: Benchmark = defineBenchmark({
  title: "Many channels",
  about:
    "what a channel costs that holds one message, and whether publishing costs more where there are many",
  describe: ({ channels, few, messages, size }) =>
    `${channels} channels with one message of ${size} bytes each, and ${few}; memory without garbage, less that of the ` +
    `empty server. Then ${messages} messages to ${few} of them, and as many to all in turn, published by code in the ` +
    `server, ${TOGETHER} in one turn of the event loop.`,
  options,
  tiny: { channels: 100, few: 2, messages: 200 },
  seconds: 5,
  subjects: [
    { name: "partyline, many channels", measure: (load: Load) => measure(load, load.channels) },
    { name: "partyline, few channels", measure: (load: Load) => measure(load, load.few) },
  ],
  columns: [
    { key: "channel", head: "KiB per channel", digits: 2, cost: true },
    { key: "heap", head: "of these objects and buffers", digits: 2 },
    {
      key: "cpu",
      head: "CPU per publish to a few, µs",
      digits: 2,
      chart: "CPU time per publish to a few, µs",
      cost: true,
    },
    { key: "turns", head: "to all in turn, µs", digits: 2 },
  ],
});

async function measure({ messages, size, few }: Load, channels: number): Promise<Measured> {
  await using server = await serve({ script: "partyline" }, "--expose-gc");
  const ask = async <Answer>(asked: Asked): Promise<Answer> => {
    server.child.tell(asked);
    return server.child.next<Answer>();
  };
  const memory = (): Promise<NodeJS.MemoryUsage> => ask({ do: "memory" });
  const fill = (count: number, into: number): Promise<Filled> =>
    ask({ do: "fill", messages: count, channels: into, size, together: TOGETHER });

  const before = await memory();
  await fill(channels, channels);
  const after = await memory();
  const held = ({ heapUsed, external }: NodeJS.MemoryUsage): number => heapUsed + external;
  const toFew = await fill(messages, few);
  const toAll = await fill(messages, channels);
  const many = channels >= 1_000;
  return {
    figures: {
      // A server's own memory varies by more than a few channels have.
      channel: many ? (after.rss - before.rss) / 1_024 / channels : Number.NaN,
      heap: many ? (held(after) - held(before)) / 1_024 / channels : Number.NaN,
      cpu: toFew.cpu / messages,
      turns: toAll.cpu / messages,
    },
  };
}
