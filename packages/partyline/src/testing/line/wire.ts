import type { Duplex } from "node:stream";
import type { Clock, Timer } from "../../core/ports.ts";
import type { Conditions } from "./faults.ts";
import { withoutUpgrade } from "./strip-upgrade.ts";

/** What may wait in a wire before its source is read no further, bytes. */
const ROOM = 256 * 1024;

/** Throttled bytes come in pieces of so much time, ms. */
const SLICE = 50;

/** On its way: bytes, the end of the stream, or the news that its sender is gone. */
interface Parcel {
  readonly what: Buffer | "end" | "gone";
  /** When it is through, by the clock. */
  readonly due: number;
}

/** What a wire is told. */
export interface WireOptions {
  readonly source: Duplex;
  readonly sink: Duplex;
  readonly conditions: Readonly<Conditions>;
  readonly clock: Clock;
  /** Do no bytes move, because one end does nothing? */
  readonly stopped: () => boolean;
}

/**
 * One direction of one connection: carries bytes from one stream to another under the line's conditions.
 *
 * `ended`: its sink was told of the end. `silent`: something was lost, and a stream with a hole is none.
 */
export class Wire {
  readonly #source: Duplex;
  readonly #sink: Duplex;
  readonly #conditions: Readonly<Conditions>;
  readonly #clock: Clock;
  readonly #stopped: () => boolean;
  #state: "open" | "ended" | "silent" = "open";
  #queue: Parcel[] = [];
  #queued = 0;
  /** When all that was taken is through. */
  #free = 0;
  /** Set while the next parcel waits for time, or for the next turn. */
  #waiting: Timer | undefined;

  constructor({ source, sink, conditions, clock, stopped }: WireOptions) {
    this.#source = source;
    this.#sink = sink;
    this.#conditions = conditions;
    this.#clock = clock;
    this.#stopped = stopped;
    source.on("data", (bytes: Buffer) => this.#take(bytes));
    source.on("end", () => this.#take("end"));
    source.on("close", () => this.#take("gone"));
    sink.on("drain", () => this.#pump());
  }

  /** The conditions are other ones. */
  changed(): void {
    this.#pump();
  }

  /** Ends the stream before its time. */
  end(): void {
    if (this.#state !== "open") return;
    this.#forget("ended");
    this.#sink.end();
  }

  /** Carries no more, and holds no timer. */
  stop(): void {
    this.#forget("silent");
  }

  #take(what: Parcel["what"]): void {
    // Read and dropped, as by a network: the sender finds out by itself, or never.
    if (this.#state === "silent" || (this.#state === "ended" && what !== "gone")) return;
    if (typeof what === "string") return this.#send(what, 0);
    let rest = this.#conditions.stripsUpgrade ? withoutUpgrade(what) : what;
    const { piece, bytesPerSecond } = this.#conditions;
    const most = Math.max(1, Math.floor(Math.min(piece, (bytesPerSecond * SLICE) / 1_000)));
    while (rest.length > most) {
      this.#send(rest.subarray(0, most), most);
      rest = rest.subarray(most);
    }
    this.#send(rest, rest.length);
  }

  #send(what: Parcel["what"], size: number): void {
    const { delay, bytesPerSecond } = this.#conditions;
    this.#free = Math.max(this.#clock.now() + delay, this.#free) + (size / bytesPerSecond) * 1_000;
    this.#queue.push({ what, due: this.#free });
    this.#queued += size;
    this.#pump();
    if (this.#queued > ROOM || this.#full) this.#source.pause();
  }

  #pump(): void {
    if (this.#conditions.passage === "lost" && this.#queue.length > 0) return this.#forget("silent");
    while (this.#conditions.passage === "open" && !this.#stopped() && !this.#waiting && !this.#full) {
      const parcel = this.#queue[0];
      if (!parcel) break;
      const wait = parcel.due - this.#clock.now();
      if (wait > 0) {
        this.#waiting = this.#clock.setTimer(this.#goOn, wait);
        break;
      }
      this.#queue.shift();
      this.#deliver(parcel.what);
      if (this.#queue.length > 0 && this.#conditions.piece < Infinity) {
        this.#waiting = { cancel: () => undefined };
        this.#clock.nextTurn(this.#goOn);
      }
    }
    if (this.#queued <= ROOM && !this.#full) this.#source.resume();
  }

  readonly #goOn = (): void => {
    this.#waiting = undefined;
    this.#pump();
  };

  #deliver(what: Parcel["what"]): void {
    const sink = this.#sink;
    switch (what) {
      case "end":
        this.#state = "ended";
        if (!sink.destroyed) sink.end();
        return;
      case "gone":
        this.#state = "ended";
        // Who was told of the end is left to take what came before it.
        if (sink.writableEnded && !sink.writableFinished) sink.once("finish", () => sink.destroy());
        else sink.destroy();
        return;
      default:
        this.#queued -= what.length;
        if (!sink.destroyed && this.#state === "open") sink.write(what);
    }
  }

  /** Does the sink take no more for now? One that is gone takes everything, which is then dropped. */
  get #full(): boolean {
    return this.#sink.writableNeedDrain && !this.#sink.destroyed;
  }

  #forget(state: "ended" | "silent"): void {
    this.#state = state;
    this.#waiting?.cancel();
    this.#waiting = undefined;
    this.#queue = [];
    this.#queued = 0;
    this.#source.resume();
  }
}
