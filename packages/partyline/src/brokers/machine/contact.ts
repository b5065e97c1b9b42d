import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { BrokerCapabilities } from "../../core/ports.ts";
import { PartylineError } from "../../protocol/errors.ts";
import { Frames, type Reader, Writer } from "./bytes.ts";
import { readError, readStored } from "./fields.ts";
import { ASK, CHUNK_BYTES, GREETING, TELL } from "./wire.ts";

/** What is not answered yet may be so much before new calls are refused: calls, and bytes of theirs. */
const MOST_CALLS = 65_536;
const MOST_BYTES: number = 64 * 1024 * 1024;

interface Call {
  readonly bytes: number;
  readonly answered: (from: Reader) => void;
  readonly failed: (error: PartylineError) => void;
}

/** Who is told what a {@link Contact} hears. */
export interface ContactEars {
  /** The broker's clock, before all else that was said in the same turn. */
  time(time: number): void;
  appended(subscription: number, from: Reader): void;
  /** A contact that was greeted is over; what was under way has been rejected. */
  lost(): void;
}

/** One connection to the process that has the broker. */
export class Contact {
  readonly #socket: Socket;
  readonly #ears: ContactEars;
  readonly #frames = new Frames();
  readonly #outgoing = new Writer();
  readonly #calls = new Map<number, Call>();
  #newest = 0;
  #bytes = 0;
  #flushing = false;
  /** What the broker's messages survive; known once it is greeted. */
  #stored: BrokerCapabilities["stored"] | undefined;
  #greeted = (_error?: Error): void => undefined;

  constructor(socket: Socket, ears: ContactEars) {
    this.#socket = socket;
    this.#ears = ears;
    socket.on("data", (chunk: Buffer) => {
      this.#frames.push(chunk);
      this.#work();
    });
    // What broke says so by its `close`.
    socket.on("error", () => undefined);
    socket.once("close", () => this.#lose());
  }

  get stored(): BrokerCapabilities["stored"] {
    return this.#stored ?? "memory";
  }

  /** Is so much unanswered that no more is asked? */
  get isFull(): boolean {
    return this.#calls.size >= MOST_CALLS || this.#bytes >= MOST_BYTES;
  }

  /** Makes sure that the other side speaks the same version. */
  greet(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#greeted = (error) => (error ? reject(error) : resolve());
      this.#say(ASK.greeting, (to) => to.text(GREETING));
    });
  }

  /** The number that a `subscribe` goes on to have is handed to `read`. */
  call<T>(type: number, write: (to: Writer) => void, read: (from: Reader, n: number) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const n = ++this.#newest;
      const bytes = this.#say(type, (to) => write(to.number(n)));
      this.#bytes += bytes;
      this.#calls.set(n, { bytes, answered: (from) => resolve(read(from, n)), failed: reject });
    });
  }

  unsubscribe(n: number): void {
    this.#say(ASK.unsubscribe, (to) => to.number(n));
  }

  async end(): Promise<void> {
    if (this.#socket.closed) return;
    const closed = once(this.#socket, "close");
    this.#socket.destroy();
    await closed;
  }

  #work(): void {
    try {
      for (let frame = this.#frames.next(); frame; frame = this.#frames.next())
        if (this.#take(frame)) return queueMicrotask(() => this.#work());
    } catch (error) {
      this.#greeted(error as Error);
      this.#socket.destroy();
    }
  }

  /** Did it answer a call? Who asked is told before what follows: a listener must know its subscription. */
  #take(frame: Reader): boolean {
    const type = frame.byte();
    if (this.#stored === undefined && type !== TELL.time) {
      if (type !== TELL.greeting || frame.text() !== GREETING) throw new RangeError("another greeting");
      this.#stored = readStored(frame);
      this.#greeted();
      return false;
    }
    const n = frame.number();
    if (type === TELL.time) this.#ears.time(n);
    else if (type === TELL.appended) this.#ears.appended(n, frame);
    else return this.#answer(type, n, frame);
    return false;
  }

  #answer(type: number, n: number, frame: Reader): boolean {
    const call = this.#calls.get(n);
    if (!call) throw new RangeError(`an answer to no call, ${n}`);
    if (type === TELL.failure) call.failed(readError(frame));
    else call.answered(frame);
    // Not before: what can't be read ends the contact, which fails all calls that are left.
    this.#calls.delete(n);
    this.#bytes -= call.bytes;
    return true;
  }

  #say(type: number, write: (to: Writer) => void): number {
    if (!this.#flushing) {
      this.#flushing = true;
      setImmediate(() => {
        this.#flushing = false;
        this.#send();
      });
    }
    write(this.#outgoing.begin(type));
    const bytes = this.#outgoing.end();
    if (this.#outgoing.size > CHUNK_BYTES) this.#send();
    return bytes;
  }

  #send(): void {
    const bytes = this.#outgoing.take();
    if (bytes.length > 0 && !this.#socket.destroyed) this.#socket.write(bytes);
  }

  #lose(): void {
    this.#greeted(new Error("The other side ended the connection."));
    const error = lostContact();
    for (const { failed } of this.#calls.values()) failed(error);
    this.#calls.clear();
    if (this.#stored !== undefined) this.#ears.lost();
  }
}

/** What was under way, and what can't be asked now. */
export function lostContact(): PartylineError {
  return new PartylineError("overloaded", "There is no contact to the broker's process.", { retryAfter: 1 });
}

/**
 * Connects and greets.
 *
 * @throws Error where nobody listens at the path, or what does is no broker of this version.
 */
export async function openContact(path: string, ears: ContactEars): Promise<Contact> {
  const socket = connect(path);
  await once(socket, "connect");
  const contact = new Contact(socket, ears);
  try {
    await contact.greet();
  } catch (cause) {
    socket.destroy();
    throw new Error(`What listens at ${path} is no shared broker of this version of partyline.`, { cause });
  }
  return contact;
}
