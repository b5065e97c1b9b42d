/**
 * Readers of bytes that may be compressed: they count what they are sent, and one more reads what it says. Tells
 * `{ open }` when all are there; told a {@link PackedPublish}, tells {@link PackedPhase}.
 */
import { connect } from "node:net";
import { WebSocket } from "ws";
import { cpuMicroseconds } from "../usage.ts";
import { Publishers } from "./publishers.ts";
import { record } from "./record.ts";

/** Argument of this program. */
export interface PackedOrder {
  readonly port: number;
  /** Process of the server, for its CPU time. */
  readonly server: number;
  /** The request of a reader, and the same for who reads what it says. */
  readonly opening: string;
  readonly wire: "WebSocket" | "event stream";
  readonly packs: boolean;
  readonly path: string;
  readonly readers: number;
}

export interface PackedPublish {
  readonly rate: number;
  readonly seconds: number;
  readonly size: number;
}

export interface PackedPhase {
  readonly expected: number;
  readonly received: number;
  /** Bytes that readers were sent, for each message. */
  readonly bytes: number;
  /** Of the server, µs. */
  readonly cpu: number;
}

/** What is waited for after the last publish, ms: until all is there, and how long it then stays quiet. */
const LATEST = 15_000;
const QUIET = 200;

const order = JSON.parse(process.argv[2] ?? "{}") as PackedOrder;
const origin = `127.0.0.1:${order.port}`;

/** Bytes of each reader. */
const bytes = new Float64Array(order.readers);
let read = 0;
let heard = 0;

function count(text: string): void {
  read += text.split('"no":').length - 1;
}

function openReader(index: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const buffer = Buffer.allocUnsafe(64 * 1024);
    const callback = (length: number): boolean => {
      bytes[index] = (bytes[index] ?? 0) + length;
      heard = performance.now();
      resolve();
      return true;
    };
    const socket = connect({ port: order.port, host: "127.0.0.1", onread: { buffer, callback } });
    socket.on("error", reject).write(order.opening);
  });
}

async function openListener(): Promise<void> {
  if (order.wire === "WebSocket") {
    const socket = new WebSocket(`ws://${origin}${order.path}`, { perMessageDeflate: order.packs });
    socket.on("message", (data: Buffer) => count(data.toString()));
    return new Promise((resolve, reject) => {
      socket.on("open", resolve).on("error", reject);
    });
  }
  const headers = { accept: "text/event-stream", "accept-encoding": order.packs ? "gzip" : "identity" };
  const { body } = await fetch(`http://${origin}${order.path}`, { headers });
  void (async () => {
    let rest = "";
    for await (const piece of body ?? []) {
      const blocks = (rest + Buffer.from(piece).toString()).split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) count(block);
    }
  })();
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const isQuiet = (): boolean => performance.now() - heard > QUIET;

async function publish({ rate, seconds, size }: PackedPublish): Promise<PackedPhase> {
  // What a stream opens with does not count.
  while (!isQuiet()) await pause(10);
  const before = bytes.slice();
  const [cpu, readBefore] = [cpuMicroseconds(order.server), read];
  const publishers = new Publishers(order.port, 4, () => undefined);
  const began = performance.now();
  const messages = Math.ceil(rate * seconds);
  for (let sent = 0; sent < messages;) {
    const due = began + (sent * 1_000) / rate;
    if (performance.now() >= due && publishers.post(order.path, record(sent, size))) sent += 1;
    else await pause(1);
  }
  const latest = performance.now() + LATEST;
  const isDone = (): boolean => read - readBefore >= messages && isQuiet();
  while (!isDone() && performance.now() < latest) await pause(10);
  publishers.close();
  const sums = bytes.map((now, index) => now - (before[index] ?? 0));
  // All are sent the same, and what it says is looked at once.
  const same = sums.filter((sum) => sum === sums[0]).length;
  return {
    expected: messages * (order.readers + 1),
    received: (read - readBefore) * (same + 1),
    bytes: (sums[0] ?? 0) / messages,
    cpu: cpuMicroseconds(order.server) - cpu,
  };
}

process.on("disconnect", () => process.exit());
process.on("message", (asked: PackedPublish) => {
  void publish(asked).then((phase) => process.send?.(phase));
});
await openListener();
// Not all at once: a listening socket has a queue of a few hundred.
for (let index = 0; index < order.readers; index += 50)
  await Promise.all(
    Array.from({ length: Math.min(50, order.readers - index) }, (_, more) => openReader(index + more)),
  );
process.send?.({ open: true });
