import { crc32 } from "node:zlib";
import { carryOver } from "./carry.ts";
import type { Compression } from "./compression.ts";
import { type GzipPiece, store } from "./gzip-piece.ts";

/** A head that tells nothing: no name, no time, no system (RFC 1952, section 2.3). */
const HEAD = Buffer.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255);

/** A last block without content, by fixed codes (RFC 1951, section 3.2.6). */
const LAST_BLOCK = Buffer.of(3, 0);

/**
 * One gzip stream, made of pieces. It has an end that every decoder accepts: some fail where it is missing. Of what was
 * sent it keeps two small integers.
 */
export class GzipStream {
  /** How what it shares with other streams is encoded. */
  readonly formats: Compression["stream"];
  #state: "new" | "begun" = "new";
  #crc = 0;
  /** Modulo 2^32, as the end has it. */
  #length = 0;

  constructor(formats: Compression["stream"]) {
    this.formats = formats;
  }

  /** Whether its head was written, so that shared pieces follow as they are. */
  get begun(): boolean {
    return this.#state === "begun";
  }

  /** What is for this stream alone; not compressed, so that nothing is compressed beside it. */
  own(text: string | Uint8Array): Buffer {
    const content = typeof text === "string" ? Buffer.from(text) : text;
    this.#crc = crc32(content, this.#crc >>> 0) | 0;
    this.#length = (this.#length + content.length) | 0;
    return this.#follow(store(content));
  }

  /** What all streams are given. */
  shared({ bytes, length, crc, carry }: GzipPiece): Buffer {
    this.#crc = carryOver(carry, this.#crc) ^ crc;
    this.#length = (this.#length + length) | 0;
    return this.#follow(bytes);
  }

  /** The end; nothing comes behind it. */
  end(): Buffer {
    const end = Buffer.alloc(LAST_BLOCK.length + 8);
    end.set(LAST_BLOCK);
    end.writeInt32LE(this.#crc, LAST_BLOCK.length);
    end.writeInt32LE(this.#length, LAST_BLOCK.length + 4);
    return this.#follow(end);
  }

  /** Behind what there is: the head, where there is nothing yet. */
  #follow(bytes: Buffer): Buffer {
    if (this.#state === "begun") return bytes;
    this.#state = "begun";
    return Buffer.concat([HEAD, bytes]);
  }
}
