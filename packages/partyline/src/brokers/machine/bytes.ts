/** Bytes that are written or read field by field, and the frames that they travel in: each after its length. */

/** What comes before each frame, bytes. */
const LENGTH_BYTES = 4;

/** What a new buffer holds at least, bytes. */
const LEAST = 4 * 1024;

/** Puts frames together, one behind the other, until they are taken. */
export class Writer {
  #buffer = Buffer.allocUnsafe(LEAST);
  #end = 0;
  #frame = 0;

  /** Bytes that wait to be taken. */
  get size(): number {
    return this.#end;
  }

  begin(type: number): this {
    this.#frame = this.#end;
    this.#room(LENGTH_BYTES + 1);
    this.#end += LENGTH_BYTES;
    this.#buffer[this.#end++] = type;
    return this;
  }

  /** Ends the frame; answers its bytes in all. */
  end(): number {
    const size = this.#end - this.#frame;
    this.#buffer.writeUInt32LE(size - LENGTH_BYTES, this.#frame);
    return size;
  }

  byte(value: number): this {
    this.#room(1);
    this.#buffer[this.#end++] = value;
    return this;
  }

  number(value: number): this {
    this.#room(8);
    this.#end = this.#buffer.writeDoubleLE(value, this.#end);
    return this;
  }

  text(value: string): this {
    this.#room(4 + value.length * 3);
    const length = this.#buffer.write(value, this.#end + 4);
    this.#buffer.writeUInt32LE(length, this.#end);
    this.#end += 4 + length;
    return this;
  }

  bytes(value: Uint8Array): this {
    this.#room(4 + value.length);
    this.#end = this.#buffer.writeUInt32LE(value.length, this.#end);
    return this.raw(value);
  }

  /** What another writer has made of some fields. */
  raw(value: Uint8Array): this {
    this.#room(value.length);
    this.#buffer.set(value, this.#end);
    this.#end += value.length;
    return this;
  }

  optional<T>(value: T | undefined, write: (value: T) => void): this {
    this.byte(value === undefined ? 0 : 1);
    if (value !== undefined) write(value);
    return this;
  }

  list<T>(values: readonly T[], write: (value: T) => void): this {
    this.number(values.length);
    for (const value of values) write(value);
    return this;
  }

  /** All that was written, and begins anew: what was taken may be on its way for a while. */
  take(): Buffer {
    const taken = this.#buffer.subarray(0, this.#end);
    this.#buffer = this.#buffer.subarray(this.#end);
    if (this.#buffer.length < LEAST / 4) this.#buffer = Buffer.allocUnsafe(Math.max(LEAST, taken.length));
    this.#end = 0;
    return taken;
  }

  #room(bytes: number): void {
    if (this.#end + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(2 * this.#buffer.length, this.#end + bytes));
    this.#buffer.copy(larger, 0, 0, this.#end);
    this.#buffer = larger;
  }
}

/** Reads what a {@link Writer} wrote. @throws RangeError where there is less. */
export class Reader {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  byte(): number {
    return this.#buffer.readUInt8(this.#at++);
  }

  number(): number {
    const value = this.#buffer.readDoubleLE(this.#at);
    this.#at += 8;
    return value;
  }

  text(): string {
    const { length, start } = this.#span();
    return this.#buffer.toString("utf8", start, start + length);
  }

  /** A view: it lives no longer than the chunk that it came in. */
  bytes(): Uint8Array {
    const { length, start } = this.#span();
    return this.#buffer.subarray(start, start + length);
  }

  optional<T>(read: () => T): T | undefined {
    return this.byte() === 0 ? undefined : read();
  }

  list<T>(read: () => T): T[] {
    const values: T[] = [];
    for (let left = this.number(); left > 0; left--) values.push(read());
    return values;
  }

  #span(): { length: number; start: number } {
    const length = this.#buffer.readUInt32LE(this.#at);
    const start = this.#at + 4;
    this.#at = start + length;
    if (this.#at > this.#buffer.length) throw new RangeError("A frame ends within a field.");
    return { length, start };
  }
}

/** Cuts what comes from a socket into frames. */
export class Frames {
  #chunks: Buffer[] = [];
  #size = 0;

  /** Bytes of frames that have not been taken. */
  get size(): number {
    return this.#size;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
  }

  /** The next whole frame, without its length. */
  next(): Reader | undefined {
    if (this.#size < LENGTH_BYTES) return undefined;
    let first = this.#chunks[0] ?? Buffer.alloc(0);
    if (first.length < LENGTH_BYTES) first = this.#join();
    const end = LENGTH_BYTES + first.readUInt32LE();
    if (this.#size < end) return undefined;
    if (first.length < end) first = this.#join();
    if (first.length > end) this.#chunks[0] = first.subarray(end);
    else this.#chunks.shift();
    this.#size -= end;
    return new Reader(first.subarray(LENGTH_BYTES, end));
  }

  #join(): Buffer {
    const whole = Buffer.concat(this.#chunks);
    this.#chunks = [whole];
    return whole;
  }
}
