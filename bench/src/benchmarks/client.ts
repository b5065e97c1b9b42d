import { type Benchmark, defineBenchmark, type Measured } from "../benchmark.ts";
import type { Asked, Consumed, ConsumeOrder } from "../load/order.ts";
import { upgrade } from "../peers.ts";
import { start } from "../processes.ts";
import { record } from "../recording.ts";
import { serve } from "../servers.ts";

const options = { messages: 200_000, size: 128 };
type Load = typeof options;

/** Part of the messages that come first and are not measured, until V8 has compiled what takes them. */
const WARM = 0.5;

export const client: Benchmark = defineBenchmark({
  title: "Client",
  about: "messages that our client takes in, beside a WebSocket that only counts frames",
  describe: ({ messages, size }) =>
    `${messages} messages of ${size} bytes, after half as many of the same, recorded as a live connection gets them and ` +
    "sent again as fast as they are taken. The client checks order and positions and hands each message to a listener; Node's own WebSocket counts.",
  options,
  tiny: { messages: 50 },
  seconds: 11,
  subjects: (["partyline/client", "WebSocket"] as const).map((by) => ({
    name: by === "WebSocket" ? "Node's WebSocket" : by,
    measure: (load: Load) => measure(by, load),
  })),
  columns: [
    { key: "rate", head: "messages/s", digits: 0, chart: "Messages per second" },
    { key: "cpu", head: "CPU per message, µs", digits: 2, cost: true },
  ],
});

async function measure(by: ConsumeOrder["by"], { messages, size }: Load): Promise<Measured> {
  const warm = Math.ceil(messages * WARM);
  const all = warm + messages;
  await using server = await serve({ script: "partyline" });
  using recording = await record({
    port: server.port,
    opening: upgrade("/connect"),
    // In one frame, as our client says it.
    says: [{ say: '{"t":"hello","v":1}\n{"t":"attach","n":1,"channel":"r0"}', answer: '"attached"' }],
    messages: all,
    afterwards() {
      const asked: Asked = { do: "fill", messages: all, channels: 1, size, together: 1 };
      server.child.tell(asked);
    },
  });
  await server[Symbol.asyncDispose]();

  await using yardstick = await serve({ script: "ready", options: recording });
  const order: ConsumeOrder = { port: yardstick.port, warm, messages, by };
  await using consumer = start("load/consumer.ts", "load", { args: [JSON.stringify(order)] });
  const { messages: count, seconds, cpu } = await consumer.next<Consumed>();
  return { figures: { rate: count / seconds, cpu: cpu / count } };
}
