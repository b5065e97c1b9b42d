/** A strict decoder of chunked bodies (RFC 9112, section 7.1): what is no chunk throws. */
export class ChunkDecoder {
  #rest: Buffer = Buffer.alloc(0);
  /** Whether the last chunk has come. */
  ended = false;
  /** Sizes of the chunks. */
  readonly sizes: number[] = [];

  /** @returns The content of the chunks that are whole now. */
  push(piece: Uint8Array): Buffer {
    this.#rest = Buffer.concat([this.#rest, piece]);
    const content: Buffer[] = [];
    for (;;) {
      if (this.ended && this.#rest.length > 0) throw new Error("There are bytes after the last chunk.");
      const end = this.#rest.indexOf("\r\n");
      if (end < 0) break;
      const line = this.#rest.subarray(0, end).toString("latin1");
      if (!/^[0-9a-f]+$/.test(line)) throw new Error(`No size of a chunk: ${JSON.stringify(line)}`);
      const size = Number.parseInt(line, 16);
      const next = end + 2 + size + 2;
      if (this.#rest.length < next) break;
      if (this.#rest.subarray(next - 2, next).toString() !== "\r\n") throw new Error("A chunk has no end.");
      content.push(this.#rest.subarray(end + 2, next - 2));
      this.sizes.push(size);
      this.ended = size === 0;
      this.#rest = this.#rest.subarray(next);
    }
    return Buffer.concat(content);
  }
}

/** The body of an answer whose head says that it is chunked. */
export function chunkedBody(answer: string): { text: string; ended: boolean; sizes: readonly number[] } {
  const decoder = new ChunkDecoder();
  const text = decoder.push(Buffer.from(answer.slice(answer.indexOf("\r\n\r\n") + 4))).toString();
  return { text, ended: decoder.ended, sizes: decoder.sizes };
}
