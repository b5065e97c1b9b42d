/**
 * The load: many readers, and who publishes to them, in a process of its own. What it says and is told stands in
 * `order.ts`.
 */
import { cpuMicroseconds } from "../usage.ts";
import { monotonic, percentile } from "../readings.ts";
import { Sampler } from "./counters.ts";
import { message } from "./message.ts";
import type { LoadOrder, Opened, Phase, PublishOrder } from "./order.ts";
import { Publishers } from "./publishers.ts";
import { Readers } from "./readers.ts";
import { Schedule } from "./schedule.ts";

/** Times of a run that are looked at, about; a prime step, so that it falls on other readers each time. */
const SAMPLES = 50_000;
const STEPS = [1, 7, 17, 61, 251, 1_009];

/** After the last publish: how long messages are waited for, and how long when none comes any more, ms. */
const DRAIN = 10_000;
const QUIET = 5_000;

const order = JSON.parse(process.argv[2] ?? "{}") as LoadOrder;
const sampler = new Sampler(monotonic);
const readers = new Readers(order, sampler);

async function open(): Promise<Opened> {
  const began = monotonic();
  const before = cpuMicroseconds(order.server);
  await readers.openAll();
  return {
    open: readers.open,
    failed: order.connections - readers.open,
    seconds: (monotonic() - began) / 1_000,
    cpu: cpuMicroseconds(order.server) - before,
    received: readers.received,
    bytes: readers.bytes,
  };
}

async function publish({ rate, seconds, size, posts }: PublishOrder): Promise<Phase> {
  const perMessage = readers.open / order.channels;
  sampler.restart(STEPS.find((step) => (rate * seconds * perMessage) / step <= SAMPLES) ?? 1_009);
  const publishers = new Publishers(order.port, posts?.connections ?? 0, () => tick());
  const [received, bytes, cpu, mine] = [
    readers.received,
    readers.bytes,
    cpuMicroseconds(order.server),
    process.cpuUsage(),
  ];
  const began = monotonic();
  const schedule = new Schedule(began, rate, seconds);
  let last = began;
  readers.changed = () => (last = monotonic());

  function tick(): void {
    for (;;) {
      const due = schedule.due(monotonic());
      if (due === undefined) return;
      const text = message(due, size);
      if (!posts) readers.say(schedule.taken, text);
      else if (!publishers.post(channelPath(posts.path, schedule.taken), text)) return;
      schedule.take();
    }
  }

  const expected = (): number => Math.round(schedule.taken * perMessage);
  for (let now = began; ; now = monotonic()) {
    tick();
    if (now > schedule.end) {
      if (readers.received - received >= expected()) break;
      if (now > schedule.end + DRAIN || now > Math.max(last, schedule.end) + QUIET) break;
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }

  const used = process.cpuUsage(mine);
  const result: Phase = {
    published: schedule.taken,
    refused: publishers.refused,
    expected: expected(),
    received: readers.received - received,
    bytes: readers.bytes - bytes,
    seconds: (last - began) / 1_000,
    cpu: cpuMicroseconds(order.server) - cpu,
    load: (used.user + used.system) / 1_000 / (monotonic() - began),
    p50: percentile(sampler.latencies, 0.5),
    p99: percentile(sampler.latencies, 0.99),
  };
  publishers.close();
  readers.changed = () => undefined;
  return result;
}

function channelPath(path: string, turn: number): string {
  return path.replace("{channel}", String(turn % order.channels));
}

process.on("disconnect", () => process.exit());
process.on("message", (asked: PublishOrder) => {
  void publish(asked).then((phase) => process.send?.(phase));
});
process.send?.(await open());
