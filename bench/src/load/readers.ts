import { connect, type Socket } from "node:net";
import { clientFrame } from "./client-frame.ts";
import { type Counter, FrameCounter, MarkCounter, type Sampler } from "./counters.ts";
import type { LoadOrder, Wire } from "./order.ts";

/** One buffer for what all sockets read: nothing is kept of it. */
const SHARED = Buffer.allocUnsafeSlow(256 * 1024);

/** Connections that may be under way at once: a listening socket has a queue of some hundred. */
const UNDER_WAY = 200;
const OPENING_TIME = 60_000;

type State = "asked" | "subscribing" | "open" | "closed";

/** A connection that counts what it is sent. */
class Reader {
  readonly #all: Readers;
  readonly #wire: Wire;
  readonly #counter: Counter;
  readonly #channel: number;
  readonly #socket: Socket;
  state: State = "asked";
  received = 0;
  /** What came while it was not open yet. */
  #answer = "";
  #said = 0;

  constructor(all: Readers, { port, wire }: LoadOrder, channel: number, sampler: Sampler) {
    this.#all = all;
    this.#wire = wire;
    this.#channel = channel;
    this.#counter = wire.counts === "frames" ? new FrameCounter(sampler) : new MarkCounter(sampler);
    const callback = (length: number): boolean => {
      this.#read(SHARED.subarray(0, length));
      return true;
    };
    this.#socket = connect({ port, host: "127.0.0.1", onread: { buffer: SHARED, callback } });
    this.#socket.setNoDelay(true).on("error", () => undefined);
    this.#socket.on("close", () => {
      this.#all.moved(this, this.state, "closed");
    });
    this.#socket.write(this.#fill(wire.opening));
  }

  /** Publishes over its own connection. */
  say(message: string): void {
    this.#said += 1;
    const text = this.#fill(this.#wire.says ?? "{message}")
      .replace("{n}", String(this.#said + 1))
      .replace("{id}", `${process.pid}-${this.#all.nextId()}`)
      .replace("{now}", String(Date.now()))
      .replace("{message}", message);
    this.#socket.write(clientFrame(text));
  }

  #read(chunk: Buffer): void {
    this.#all.bytes += chunk.length;
    const messages = this.state === "open" ? chunk : this.#open(chunk);
    const count = messages ? this.#counter.read(messages) : 0;
    this.received += count;
    this.#all.count(count);
  }

  /** Follows how it is opened; returns what follows the head of the answer. */
  #open(chunk: Buffer): Buffer | undefined {
    const before = this.#answer.length;
    const hadHead = this.#answer.includes("\r\n\r\n");
    this.#answer += chunk.toString("latin1");
    const head = this.#answer.indexOf("\r\n\r\n");
    if (head < 0) return undefined;
    const { opened, subscribe } = this.#wire;
    if (this.state === "asked" && this.#answer.includes(opened)) {
      if (subscribe) this.#socket.write(clientFrame(this.#fill(subscribe.say)));
      this.#all.moved(this, "asked", subscribe ? "subscribing" : "open");
    }
    if (this.state === "subscribing" && this.#answer.includes(subscribe?.answer ?? "")) {
      this.#all.moved(this, "subscribing", "open");
    }
    if (this.state === "open") this.#answer = "";
    return hadHead ? chunk : chunk.subarray(head + 4 - before);
  }

  #fill(template: string): string {
    return template.replaceAll("{channel}", String(this.#channel));
  }
}

/** All readers of a run. */
export class Readers {
  readonly #order: LoadOrder;
  readonly #sampler: Sampler;
  readonly #list: Reader[] = [];
  #open = 0;
  #closed = 0;
  #ids = 0;
  /** Messages that came, to all. */
  received = 0;
  /** Bytes that came, to all. */
  bytes = 0;
  /** When the last message came. */
  changed: () => void = () => undefined;

  constructor(order: LoadOrder, sampler: Sampler) {
    this.#order = order;
    this.#sampler = sampler;
  }

  get open(): number {
    return this.#open;
  }

  get closed(): number {
    return this.#closed;
  }

  /** Opens them all; ends when each is open, and has what it awaits, or is closed. */
  async openAll(): Promise<void> {
    const { connections, channels, awaits = 0 } = this.#order;
    const deadline = setTimeout(() => this.changed(), OPENING_TIME);
    const end = performance.now() + OPENING_TIME;
    const complete = (): boolean =>
      this.#open + this.#closed >= connections && this.received >= awaits * this.#open;
    while (!complete() && performance.now() < end) {
      while (this.#list.length < connections && this.#list.length - this.#open - this.#closed < UNDER_WAY) {
        this.#list.push(new Reader(this, this.#order, this.#list.length % channels, this.#sampler));
      }
      await new Promise<void>((resolve) => (this.changed = resolve));
    }
    clearTimeout(deadline);
    this.changed = () => undefined;
  }

  /** Lets one publish, each in its turn; those next to each other are in different channels. */
  say(turn: number, message: string): void {
    const reader = this.#list[(turn * 7_919) % this.#list.length];
    if (reader?.state === "open") reader.say(message);
  }

  nextId(): number {
    return ++this.#ids;
  }

  moved(reader: Reader, from: State, to: State): void {
    if (from === "open") this.#open -= 1;
    if (to === "open") this.#open += 1;
    if (to === "closed" && from !== "closed") this.#closed += 1;
    reader.state = to;
    this.changed();
  }

  count(messages: number): void {
    this.received += messages;
    if (messages > 0) this.changed();
  }
}
