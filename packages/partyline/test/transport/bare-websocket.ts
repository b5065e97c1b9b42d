import { connect, type Socket } from "node:net";

/** A WebSocket after a handshake by hand: what is then sent, and when, is up to the test. */
export interface BareWebSocket {
  readonly socket: Socket;
  /** Head of the server's answer. */
  readonly head: string;
  /** All that came behind the handshake, when the connection is closed. */
  readonly closed: Promise<Buffer>;
}

/** Shakes hands with the server at this port; `offer` is what the client's `Sec-WebSocket-Extensions` says. */
export async function openBareWebSocket(port: number, path: string, offer = ""): Promise<BareWebSocket> {
  const socket = connect(port, "127.0.0.1");
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
      (offer === "" ? "\r\n" : `Sec-WebSocket-Extensions: ${offer}\r\n\r\n`),
  );
  const chunks: Buffer[] = [];
  const answer = await new Promise<string>((resolve) => {
    let head = Buffer.alloc(0);
    const read = (piece: Buffer): void => {
      head = Buffer.concat([head, piece]);
      const end = head.indexOf("\r\n\r\n");
      if (end < 0) return;
      chunks.push(head.subarray(end + 4));
      socket.off("data", read).on("data", (chunk: Buffer) => chunks.push(chunk));
      resolve(head.subarray(0, end).toString());
    };
    socket.on("data", read);
  });
  const closed = new Promise<Buffer>((resolve) => socket.on("close", () => resolve(Buffer.concat(chunks))));
  return { socket, head: answer, closed };
}

export const OPCODE = { more: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** A frame of a client, masked with zeros. */
export function clientFrame(opcode: number, payload: Uint8Array | string, fin = true): Buffer {
  const data = typeof payload === "string" ? Buffer.from(payload) : payload;
  const length =
    data.length < 126 ? Buffer.of(0x80 | data.length) : Buffer.of(0xfe, data.length >> 8, data.length & 255);
  return Buffer.concat([Buffer.of((fin ? 0x80 : 0) | opcode), length, Buffer.alloc(4), data]);
}

/** A frame of the server. */
export interface ServerFrameBytes {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** Cuts what a server sent into its frames; throws where the bytes are no whole, unmasked frames. */
export function readFrames(bytes: Buffer): ServerFrameBytes[] {
  const frames: ServerFrameBytes[] = [];
  for (let at = 0; at < bytes.length;) {
    const first = bytes.readUInt8(at);
    let length = bytes.readUInt8(at + 1);
    if ((first & 0xf0) !== 0x80 || length > 127) throw new Error(`No frame of a server's at byte ${at}.`);
    at += 2;
    if (length === 126) length = bytes.readUInt16BE((at += 2) - 2);
    else if (length === 127) length = Number(bytes.readBigUInt64BE((at += 8) - 8));
    if (at + length > bytes.length) throw new Error(`A frame of ${length} bytes is cut off at byte ${at}.`);
    frames.push({ opcode: first & 15, payload: bytes.subarray(at, at + length) });
    at += length;
  }
  return frames;
}
