/** RFC 6455, section 5.2: what a server sends is not masked, and ours are whole messages. */
export const TEXT_FRAME = 0x1;
export const BINARY_FRAME = 0x2;

/** The first byte of a whole message: with an opcode, and with {@link COMPRESSED} where it is. */
export const FIN = 0x80;
/** RSV1, of the first byte of a compressed message (RFC 7692, section 6). */
export const COMPRESSED = 0x40;

/** Bytes of a whole frame with this many bytes of payload. */
export function frameLength(payload: number): number {
  return payload + (payload < 126 ? 2 : payload < 65_536 ? 4 : 10);
}

/** Writes the header of an unmasked frame with this first byte; answers where its payload goes. */
export function writeFrameHeader(target: Buffer, at: number, first: number, payload: number): number {
  target[at] = first;
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

/** A whole text frame. */
export function textFrame(text: string): Buffer {
  const payload = Buffer.byteLength(text);
  const frame = Buffer.allocUnsafe(frameLength(payload));
  frame.write(text, writeFrameHeader(frame, 0, FIN | TEXT_FRAME, payload), "utf8");
  return frame;
}
