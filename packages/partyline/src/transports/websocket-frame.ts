/** RFC 6455, section 5.2: what a server sends is not masked, and ours are whole messages. */
export const TEXT_FRAME = 0x1;
export const BINARY_FRAME = 0x2;
export const CLOSE_FRAME = 0x8;
export const PING_FRAME = 0x9;
export const PONG_FRAME = 0xa;
/** RSV1, beside the opcode of a compressed message (RFC 7692, section 6). */
export const COMPRESSED = 0x40;

/** The last frame of a message: with ours it is always set. */
export const FIN = 0x80;

/** Most bytes of a close frame's reason. */
const MAX_REASON = 123;

/** Bytes of a whole frame with this many bytes of payload. */
export function frameLength(payload: number): number {
  return payload + (payload < 126 ? 2 : payload < 65_536 ? 4 : 10);
}

/** Writes the header of a whole, unmasked frame; answers where its payload goes. */
export function writeFrameHeader(target: Buffer, at: number, opcode: number, payload: number): number {
  target[at] = FIN | opcode;
  if (payload < 126) {
    target[at + 1] = payload;
    return at + 2;
  }
  if (payload < 65_536) {
    target[at + 1] = 126;
    target.writeUInt16BE(payload, at + 2);
    return at + 4;
  }
  target[at + 1] = 127;
  target.writeUInt32BE(Math.floor(payload / 2 ** 32), at + 2);
  target.writeUInt32BE(payload % 2 ** 32, at + 6);
  return at + 10;
}

/** A whole frame. */
export function wholeFrame(opcode: number, payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(frameLength(payload.length));
  frame.set(payload, writeFrameHeader(frame, 0, opcode, payload.length));
  return frame;
}

/** A whole text frame. */
export function textFrame(text: string): Buffer {
  const payload = Buffer.byteLength(text);
  const frame = Buffer.allocUnsafe(frameLength(payload));
  frame.write(text, writeFrameHeader(frame, 0, TEXT_FRAME, payload), "utf8");
  return frame;
}

/** A close frame; of the reason as much as fits, in whole characters. */
export function closeFrame(code?: number, reason = ""): Buffer {
  if (code === undefined) return wholeFrame(CLOSE_FRAME, new Uint8Array(0));
  const payload = Buffer.alloc(2 + MAX_REASON);
  const length = 2 + payload.write(reason, payload.writeUInt16BE(code, 0));
  return wholeFrame(CLOSE_FRAME, payload.subarray(0, length));
}
