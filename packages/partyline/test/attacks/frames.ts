/** Frames of a WebSocket client, also those that no client may send. */
import { deflateRawSync } from "node:zlib";

export const OPCODE = { more: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** Fields of a frame; all have the value of a correct frame unless given. */
export interface FrameFields {
  readonly opcode: number;
  readonly payload: Uint8Array | string;
  readonly fin?: boolean;
  /** The three reserved bits. */
  readonly reserved?: number;
  readonly masked?: boolean;
  /** The length that the head claims. */
  readonly claimed?: number | bigint;
  /** Bytes of the length field: 0, 2 or 8, in addition to the byte that every frame has. */
  readonly lengthBytes?: 0 | 2 | 8;
}

/** Makes the bytes of a frame; the mask is zero. */
export function frame({
  opcode,
  payload,
  fin = true,
  reserved = 0,
  masked = true,
  ...more
}: FrameFields): Buffer {
  const data = Buffer.from(payload);
  const claimed = BigInt(more.claimed ?? data.length);
  const { lengthBytes = claimed < 126n ? 0 : claimed < 65_536n ? 2 : 8 } = more;
  const head = Buffer.alloc(2 + lengthBytes + (masked ? 4 : 0));
  head[0] = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  head[1] =
    (masked ? 0x80 : 0) | (lengthBytes === 0 ? Number(claimed & 0x7fn) : lengthBytes === 2 ? 126 : 127);
  if (lengthBytes === 2) head.writeUInt16BE(Number(claimed & 0xffffn), 2);
  if (lengthBytes === 8) head.writeBigUInt64BE(BigInt.asUintN(64, claimed), 2);
  return Buffer.concat([head, data]);
}

export const text = (payload: Uint8Array | string, fin = true): Buffer =>
  frame({ opcode: OPCODE.text, payload, fin });

/** A compressed text frame (RFC 7692). */
export function deflated(payload: Uint8Array | string): Buffer {
  const data = deflateRawSync(payload, { finishFlush: 2 });
  return frame({ opcode: OPCODE.text, payload: data.subarray(0, -4), reserved: 4 });
}

/** Joins copies of these bytes until they are about this long. */
export const repeated = (bytes: Buffer, about: number): Buffer =>
  Buffer.concat(Array.from({ length: Math.max(1, Math.floor(about / bytes.length)) }, () => bytes));
