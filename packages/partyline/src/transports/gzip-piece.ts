import { crc32 } from "node:zlib";
import { createCarry } from "./carry.ts";
import { streamBytes } from "./stream-bytes.ts";

/** Most that a block holds which is not compressed (RFC 1951, section 3.2.4). */
const STORED = 65_535;
const STORED_HEAD = 5;

/** A piece of a gzip stream that needs nothing of what stands before it: the same bytes in every stream. */
export interface GzipPiece {
  readonly bytes: Buffer;
  /** The same as a chunk of HTTP/1.1. */
  readonly chunk: Buffer;
  /** How many bytes it is when it is no longer compressed, and their CRC. */
  readonly length: number;
  readonly crc: number;
  /** Carries the CRC of a stream over this piece. */
  readonly carry: Int32Array;
}

/** Makes a piece of `content`; `packed` is what it was deflated to, where it was. */
export function gzipPiece(content: Uint8Array, packed: Buffer | undefined): GzipPiece {
  const { length } = content;
  const { plain, chunk } = streamBytes(packed ?? store(content));
  return { bytes: plain, chunk, length, crc: crc32(content) | 0, carry: createCarry(length) };
}

/** Blocks that hold the content as it is. */
export function store(content: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(content.length + Math.ceil(content.length / STORED) * STORED_HEAD);
  let at = 0;
  for (let from = 0; from < content.length; from += STORED) {
    const block = content.subarray(from, from + STORED);
    bytes[at] = 0;
    bytes.writeUInt16LE(block.length, at + 1);
    bytes.writeUInt16LE(~block.length & 0xffff, at + 3);
    bytes.set(block, at + STORED_HEAD);
    at += STORED_HEAD + block.length;
  }
  return bytes;
}
