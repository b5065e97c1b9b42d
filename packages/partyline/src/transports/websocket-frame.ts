/** RFC 6455, section 5.2: what a server sends is not masked, and ours are whole messages. */
export const TEXT_FRAME = 0x1;
export const BINARY_FRAME = 0x2;
/** RSV1, beside the opcode of a compressed message (RFC 7692, section 6). */
export const COMPRESSED = 0x40;

const FIN = 0x80;

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
