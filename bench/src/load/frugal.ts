/**
 * Readers that cost next to nothing, so that nearly all of the machine is left to the server. What comes to most of them
 * waits in the system until the end, and is then taken at once and counted by its bytes. A few of each channel speak in
 * turn, each when it has all that was said before it, and only those are read.
 *
 * Each channel has one message under way. So a write never holds two, however far behind the server is, and the
 * deliveries a second are as many as it can do one by one.
 */
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { upgrade } from "../peers.ts";
import { monotonic } from "../readings.ts";
import { clientFrame } from "./client-frame.ts";
import type { FrugalOrder, FrugalReport } from "./order.ts";

/** Of the readers of a channel: some at each worker, so that none of those gets ahead of the others. */
const SPEAKERS = 8;
/** What the system surely holds for a reader that does not read: messages (each takes memory beside its bytes), bytes. */
const UNREAD = { messages: 200, bytes: 26_000 };
/** Connections that are opened at once. */
const OPENING = 100;
/** After the last message is said: how long the rest may take to arrive, ms. */
const DRAIN = 5_000;

const order = JSON.parse(process.argv[2] ?? "{}") as FrugalOrder;
const said = clientFrame("x".repeat(order.size));
/** Of a message as it comes to a reader: a header without a mask. */
const bytesEach = said.length - 4;
const unread = Math.max(1, Math.min(UNREAD.messages, Math.floor(UNREAD.bytes / bytesEach)));
/** All read into it, one after the other: nobody looks at what it says. */
const buffer = Buffer.alloc(256 * 1024);

/** How long it sleeps at the end of each turn of its event loop in which somebody spoke, ms: waking up costs more than speaking. */
const REST = 5;
const never = new Int32Array(new SharedArrayBuffer(4));
let isResting = false;

/** Lets messages gather for the next turn. The server has those of the other channels to write meanwhile. */
function restSoon(): void {
  if (isResting) return;
  isResting = true;
  setImmediate(() => {
    isResting = false;
    Atomics.wait(never, 0, 0, REST);
  });
}

/** `ending`: nobody speaks any more, all are read. */
let state: "idle" | "talking" | "ending" = "idle";

class Channel {
  readonly #path: string;
  readonly readers: Reader[] = [];
  /** Messages said. */
  said = 0;

  constructor(name: string) {
    this.#path = `/channels/${name}`;
  }

  async open(): Promise<void> {
    const reader = new Reader(this);
    this.readers.push(reader);
    await reader.open(this.#path);
  }

  /** Whose turn it is says something. */
  speak(): void {
    this.#next().say();
    this.said += 1;
    this.#next().listen();
    restSoon();
    // On a machine so fast that the system would have to hold more than it can.
    if (this.said % unread === 0) this.listen();
  }

  /** All are read. */
  listen(): void {
    for (const reader of this.readers) reader.listen();
  }

  isNext(reader: Reader): boolean {
    return this.#next() === reader;
  }

  #next(): Reader {
    const next = this.readers[this.said % Math.min(SPEAKERS, this.readers.length)];
    if (!next) throw new Error("A channel without readers.");
    return next;
  }
}

class Reader {
  readonly #channel: Channel;
  #socket: Socket | undefined;
  #bytes = 0;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  get received(): number {
    return this.#bytes / bytesEach;
  }

  open(path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      let isOpen = false;
      const callback = (length: number): boolean => {
        if (isOpen) return this.#heard(length);
        isOpen = true;
        if (buffer.toString("latin1", 0, length).startsWith("HTTP/1.1 101")) resolve();
        else reject(new Error("It was refused."));
        return false;
      };
      // Only a socket that reads into a buffer of ours really stops reading.
      this.#socket = connect({ port: order.port, host: "127.0.0.1", onread: { buffer, callback } });
      this.#socket.setNoDelay(true).once("error", reject);
      this.#socket.write(upgrade(path));
    });
  }

  say(): void {
    this.#socket?.write(said);
  }

  listen(): void {
    this.#socket?.resume();
  }

  /** Does it go on reading? */
  #heard(length: number): boolean {
    this.#bytes += length;
    if (state === "ending") return true;
    if (!this.#channel.isNext(this)) return false;
    if (this.received < this.#channel.said) return true;
    if (state === "talking") this.#channel.speak();
    return false;
  }
}

const channels = Array.from({ length: order.channels }, (_, n) => new Channel(`r${n}`));

async function openReader(n: number): Promise<void> {
  await channels[n % channels.length]?.open();
}

async function openAll(): Promise<void> {
  for (let opened = 0; opened < order.readers; opened += OPENING) {
    const some = Math.min(OPENING, order.readers - opened);
    await Promise.all(Array.from({ length: some }, (_, n) => openReader(opened + n)));
  }
}

const sum = (of: (channel: Channel) => number): number =>
  channels.reduce((total, channel) => total + of(channel), 0);
const expected = (): number => sum(({ said: messages, readers }) => messages * readers.length);
const received = (): number =>
  sum(({ readers }) => readers.reduce((total, reader) => total + reader.received, 0));

async function measure(): Promise<Omit<FrugalReport, "lost">> {
  const before = { deliveries: expected(), at: monotonic(), cpu: process.cpuUsage() };
  await sleep(order.seconds * 1_000);
  const seconds = (monotonic() - before.at) / 1_000;
  const { user, system } = process.cpuUsage(before.cpu);
  return {
    deliveries: expected() - before.deliveries,
    seconds,
    load: (user + system) / 1e6 / seconds,
  };
}

/** Answers how many messages never came. */
async function end(): Promise<number> {
  state = "ending";
  for (const channel of channels) channel.listen();
  const latest = monotonic() + DRAIN;
  while (received() < expected() && monotonic() < latest) await sleep(20);
  return expected() - received();
}

async function run(): Promise<FrugalReport> {
  state = "talking";
  for (const channel of channels) channel.speak();
  await sleep(order.warm * 1_000);
  process.send?.("warm");
  const measured = await measure();
  process.send?.("measured");
  return { ...measured, lost: await end() };
}

// It does not outlive the run.
process.on("disconnect", () => process.exit());
await openAll();
process.send?.("open");
process.once("message", () => void run().then((report) => process.send?.(report)));
