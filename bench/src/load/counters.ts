import { MARK, timeAt } from "./message.ts";

/** Counts messages in a stream of bytes that comes in chunks. */
export interface Counter {
  /** How many messages are in these bytes. */
  read(chunk: Buffer): number;
}

/** Takes the time out of one of so many messages, of all streams together. */
export class Sampler {
  /** From when a message was due until it was here, ms. */
  latencies: number[] = [];
  readonly #now: () => number;
  #every = 1;
  #left = 1;

  /** @param now ms, by the clock of the messages */
  constructor(now: () => number) {
    this.#now = now;
  }

  restart(every: number): void {
    this.latencies = [];
    this.#every = every;
    this.#left = every;
  }

  /** Another message was counted; its mark is at or behind `from`. */
  see(chunk: Buffer, from: number): void {
    if (--this.#left > 0) return;
    const mark = chunk.indexOf(MARK, from);
    const due = mark < 0 ? undefined : timeAt(chunk, mark);
    // One cut by the end of the chunk: the next will do.
    if (due === undefined) return;
    this.#left = this.#every;
    this.latencies.push(this.#now() - due);
  }
}

/** Counts marks: for streams in which nothing but a message has one. */
export class MarkCounter implements Counter {
  readonly #sampler: Sampler;

  constructor(sampler: Sampler) {
    this.#sampler = sampler;
  }

  read(chunk: Buffer): number {
    let count = 0;
    for (let at = chunk.indexOf(MARK); at >= 0; at = chunk.indexOf(MARK, at + 1)) {
      count += 1;
      this.#sampler.see(chunk, at);
    }
    return count;
  }
}

/** Counts WebSocket frames of data by their headers, without a look at what is in them. */
export class FrameCounter implements Counter {
  readonly #sampler: Sampler;
  /** Bytes of a payload that are still to come. */
  #payload = 0;
  /** The beginning of a header that was cut. */
  #cut: Buffer | undefined;

  constructor(sampler: Sampler) {
    this.#sampler = sampler;
  }

  read(chunk: Buffer): number {
    const bytes = this.#cut ? Buffer.concat([this.#cut, chunk]) : chunk;
    this.#cut = undefined;
    let count = 0;
    let at = this.#skip(0, bytes.length);
    while (at < bytes.length) {
      const short = (bytes[at + 1] ?? 0) & 0x7f;
      const header = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (at + header > bytes.length) {
        // A copy: the chunk's memory is used again.
        this.#cut = Buffer.from(bytes.subarray(at));
        break;
      }
      const opcode = (bytes[at] ?? 0) & 0x0f;
      if (short < 126) this.#payload = short;
      else this.#payload = short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
      at += header;
      if (opcode === 1 || opcode === 2) {
        count += 1;
        this.#sampler.see(bytes, at);
      }
      at = this.#skip(at, bytes.length);
    }
    return count;
  }

  #skip(at: number, end: number): number {
    const here = Math.min(this.#payload, end - at);
    this.#payload -= here;
    return at + here;
  }
}
