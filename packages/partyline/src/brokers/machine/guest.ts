import type { Socket } from "node:net";
import type { Broker, ChannelSpec, MaybePromise, Subscription } from "../../core/ports.ts";
import { toPartylineError } from "../../protocol/errors.ts";
import type { Entry } from "../../protocol/message.ts";
import { Frames, type Reader, Writer } from "./bytes.ts";
import {
  readLimit,
  readMessages,
  readSince,
  readSpec,
  writeError,
  writeHeads,
  writeOutcome,
  writePage,
  writePosition,
  writeStored,
} from "./fields.ts";
import { ASK, CHUNK_BYTES, GREETING, GREETING_BYTES, TELL } from "./wire.ts";

/** While more than this waits for a process to read it, no more of its calls are taken: bytes. */
const HIGH_WATER: number = 1024 * 1024;

/** What all guests of a host share. */
export interface House {
  readonly broker: Broker;
  /** The same messages go to all guests: their fields are written once. */
  readonly encode: (epoch: string, entries: readonly Entry[]) => Buffer;
  /** Most bytes that wait for a process that does not read. */
  readonly unreadBytes: number;
  /** The contact is to be ended, and why. */
  readonly refuse: (guest: Guest, why: string) => void;
}

/** A process that uses the broker, as the process that has it sees it. */
export class Guest {
  readonly #socket: Socket;
  readonly #house: House;
  readonly #frames = new Frames();
  readonly #outgoing = new Writer();
  readonly #subscriptions = new Map<number, Subscription>();
  #is: "unknown" | "greeted" | "gone" = "unknown";
  #flushing = false;

  constructor(socket: Socket, house: House) {
    this.#socket = socket;
    this.#house = house;
    socket.on("data", (chunk: Buffer) => {
      this.#frames.push(chunk);
      this.#work();
    });
    socket.on("drain", () => {
      socket.resume();
      this.#work();
    });
    // What broke says so by its `close`.
    socket.on("error", () => undefined);
    socket.once("close", () => this.end());
  }

  /** Ends the contact, with all that was followed for it. */
  end(): void {
    if (this.#is === "gone") return;
    this.#is = "gone";
    this.#socket.destroy();
    for (const subscription of this.#subscriptions.values()) subscription.close();
    this.#subscriptions.clear();
  }

  /** Takes calls in their order, unless their answers are not taken. */
  #work(): void {
    try {
      while (this.#is !== "gone" && !this.#isFull()) {
        const frame = this.#frames.next();
        if (frame) this.#take(frame);
        else if (this.#is === "unknown" && this.#frames.size > GREETING_BYTES)
          throw new RangeError("no greeting");
        else return;
      }
    } catch (error) {
      this.#house.refuse(this, `what it says is not understood (${String(error)})`);
    }
  }

  #isFull(): boolean {
    if (this.#outgoing.size > CHUNK_BYTES) this.#send();
    if (!this.#socket.writableNeedDrain || this.#socket.writableLength < HIGH_WATER) return false;
    this.#socket.pause();
    return true;
  }

  #take(frame: Reader): void {
    const { broker } = this.#house;
    const type = frame.byte();
    if (this.#is === "unknown") return this.#greet(type, frame);
    const n = frame.number();
    switch (type) {
      case ASK.append: {
        const [spec, messages] = [readSpec(frame), readMessages(frame)];
        return this.#answer(n, () => broker.append(spec, messages), writeOutcome);
      }
      case ASK.read: {
        const [spec, since, limit] = [readSpec(frame), readSince(frame), readLimit(frame)];
        return this.#answer(n, () => broker.read(spec, since, limit), writePage);
      }
      case ASK.heads: {
        const names = frame.list(() => frame.text());
        return this.#answer(n, () => broker.heads(names), writeHeads);
      }
      case ASK.subscribe:
        return this.#subscribe(n, readSpec(frame));
      case ASK.unsubscribe:
        this.#subscriptions.get(n)?.close();
        return void this.#subscriptions.delete(n);
      default:
        throw new RangeError(`a call of type ${type}`);
    }
  }

  #greet(type: number, frame: Reader): void {
    if (type !== ASK.greeting || frame.text() !== GREETING) throw new RangeError("another greeting");
    this.#is = "greeted";
    const { capabilities } = this.#house.broker;
    this.#say(TELL.greeting, (to) => writeStored(to.text(GREETING), capabilities.stored));
  }

  #subscribe(n: number, spec: ChannelSpec): void {
    const { broker, encode } = this.#house;
    const subscribing = (): MaybePromise<Subscription> =>
      broker.subscribe(spec, (epoch, entries) =>
        this.#say(TELL.appended, (to) => to.number(n).raw(encode(epoch, entries))),
      );
    this.#answer(n, subscribing, (to, subscription) => {
      // It may have taken longer than the contact lasted.
      if (this.#is === "gone") return subscription.close();
      this.#subscriptions.set(n, subscription);
      writePosition(to, subscription.head);
    });
  }

  #answer<T>(n: number, ask: () => MaybePromise<T>, write: (to: Writer, value: T) => void): void {
    const succeed = (value: T): void => {
      this.#say(TELL.answer, (to) => write(to.number(n), value));
    };
    const fail = (error: unknown): void => {
      this.#say(TELL.failure, (to) => writeError(to.number(n), toPartylineError(error)));
    };
    let answer: MaybePromise<T>;
    try {
      answer = ask();
    } catch (error) {
      return fail(error);
    }
    if (answer instanceof Promise) void answer.then(succeed, fail);
    else succeed(answer);
  }

  /** Where the contact is gone it is written all the same, and goes nowhere. */
  #say(type: number, write: (to: Writer) => void): void {
    if (!this.#flushing) {
      this.#flushing = true;
      setImmediate(() => this.#flush());
      this.#outgoing.begin(TELL.time).number(this.#house.broker.time()).end();
    }
    write(this.#outgoing.begin(type));
    this.#outgoing.end();
    if (this.#outgoing.size > CHUNK_BYTES) this.#send();
  }

  #flush(): void {
    this.#flushing = false;
    this.#send();
  }

  #send(): void {
    const bytes = this.#outgoing.take();
    if (this.#is === "gone" || bytes.length === 0) return;
    this.#socket.write(bytes);
    if (this.#socket.writableLength > this.#house.unreadBytes)
      this.#house.refuse(this, "it does not read what it is told");
  }
}
