const NOTHING: Buffer = Buffer.alloc(0);

/** Bytes that come piece by piece, in a buffer that doubles: they cost no more than twice what came. */
export class GrowingBytes {
  #buffer = NOTHING;
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  /** Bytes of memory that it holds. */
  get capacity(): number {
    return this.#buffer.length;
  }

  /** All there is; it shares memory with what is added later, which stands behind it. */
  get bytes(): Buffer {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  /** @param expected How many there will be, where that is known: no more room than that is made ahead. */
  add(piece: Uint8Array, expected = Infinity): void {
    const length = this.length + piece.length;
    if (this.#end + piece.length > this.#buffer.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(length, Math.min(length * 2, expected)));
      grown.set(this.bytes);
      this.#end = this.length;
      this.#start = 0;
      this.#buffer = grown;
    }
    this.#buffer.set(piece, this.#end);
    this.#end += piece.length;
  }

  /** Forgets the first ones. */
  drop(count: number): void {
    this.#start += count;
  }
}
