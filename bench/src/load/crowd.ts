/**
 * Readers that look at each message, in a process of their own that may be stopped. Tells `{ ready }` when all are subscribed, `{ report }` when all have what
 * `{ until }` names or have been closed, and at the latest after `{ within }` ms.
 */
import { connect, type Socket } from "node:net";
import { monotonic } from "../readings.ts";
import { clientFrame } from "./client-frame.ts";
import type { CrowdOrder, CrowdReport } from "./order.ts";

const { port, wire, readers: count, alive } = JSON.parse(process.argv[2] ?? "{}") as CrowdOrder;
const MARK = 0x23;
const BETWEEN = 512;
/** Masked, and empty. */
const PONG = Buffer.of(0x8a, 0x80, 0, 0, 0, 0);

let latencies: number[] = [];
let changed = (): void => undefined;

class Reader {
  readonly #socket: Socket;
  #rest: Buffer = Buffer.alloc(0);
  ready = false;
  closed = false;
  received = 0;
  /** Messages that are missing, and of which nothing was said. */
  lost = 0;
  /** Messages that are missing, and were told so. */
  told = 0;
  #last = 0;

  constructor() {
    this.#socket = connect(port, "127.0.0.1");
    this.#socket.write(wire.opening);
    this.#socket.on("data", (chunk: Buffer) => this.#read(chunk));
    this.#socket.on("error", () => undefined);
    this.#socket.on("close", () => {
      this.closed = true;
      changed();
    });
  }

  get last(): number {
    return this.#last;
  }

  stayAlive(): void {
    if (alive === undefined || this.closed) return;
    this.#socket.write(alive === "pong" ? PONG : clientFrame(alive.say));
  }

  #read(chunk: Buffer): void {
    if (!this.ready) this.#open(chunk);
    const now = monotonic();
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let done = 0;
    for (let start = bytes.indexOf(MARK); start >= 0; start = bytes.indexOf(MARK, done)) {
      const end = bytes.indexOf(MARK, start + 1);
      if (end < 0) break;
      const [number = 0, sent = 0] = bytes
        .toString("latin1", start + 1, end)
        .split("@")
        .map(Number);
      const missing = number - this.#last - 1;
      if (
        missing > 0 &&
        bytes.toString("latin1", Math.max(done, start - BETWEEN), start).includes("event: gap")
      )
        this.told += missing;
      else this.lost += missing;
      this.#last = number;
      this.received += 1;
      latencies.push(now - sent);
      done = end + 1;
    }
    this.#rest = bytes.subarray(Math.max(done, bytes.length - BETWEEN));
    changed();
  }

  #open(chunk: Buffer): void {
    const { opened, subscribe } = wire;
    if (subscribe && chunk.includes(opened)) this.#socket.write(clientFrame(subscribe.say));
    this.ready = chunk.includes(subscribe?.answer ?? opened);
  }
}

const readers: Reader[] = [];

function report(until: number): CrowdReport {
  const sum = (of: (reader: Reader) => number): number =>
    readers.reduce((total, reader) => total + of(reader), 0);
  const open = readers.filter(({ closed }) => !closed);
  return {
    received: sum(({ received }) => received),
    lost: sum(({ lost, closed, last }) => lost + (closed ? until - last : 0)),
    closed: readers.length - open.length,
    complete: open.filter(({ last, lost, told }) => last >= until && lost + told === 0).length,
    told: open.filter(({ last, lost, told }) => last >= until && lost === 0 && told > 0).length,
    behind: open.filter(({ last }) => last < until).length,
    latencies,
  };
}

function tellWhen(done: () => boolean, within: number, tell: () => void): void {
  const finish = (): void => {
    changed = () => undefined;
    clearTimeout(timer);
    tell();
  };
  const timer = setTimeout(finish, within);
  changed = () => {
    if (done()) finish();
  };
  changed();
}

process.on("disconnect", () => process.exit());
process.on("message", ({ until, within }: { readonly until: number; readonly within: number }) => {
  tellWhen(
    () => readers.every(({ last, closed }) => closed || last >= until),
    within,
    () => {
      process.send?.({ report: report(until) });
      latencies = [];
    },
  );
});
setInterval(() => {
  for (const reader of readers) reader.stayAlive();
}, 10_000);

// Not all at once: a listening socket has a queue of a few hundred.
for (let at = 0; at < count; at += 50) {
  const some = Array.from({ length: Math.min(50, count - at) }, () => new Reader());
  readers.push(...some);
  await new Promise<void>((resolve) => tellWhen(() => some.every(({ ready }) => ready), 30_000, resolve));
}
if (!readers.every(({ ready }) => ready)) throw new Error("Not all readers could subscribe.");
process.send?.({ ready: true });
