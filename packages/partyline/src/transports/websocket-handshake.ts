import { hash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { agreeOnDeflate, type DeflateAgreement } from "./permessage-deflate.ts";

/** RFC 6455, section 1.3. */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** The version that is spoken; who asks for another is told. */
export const WEBSOCKET_VERSION = "13";

/** A client's side of a handshake that can be answered. */
export interface Handshake {
  readonly key: string;
  /** Absent: no messages are compressed. */
  readonly deflate: DeflateAgreement | undefined;
}

/**
 * Reads the client's side of a handshake (RFC 6455, section 4.2.1).
 *
 * @param compression Is `permessage-deflate` taken where it is offered?
 * @throws SyntaxError where it is at fault.
 */
export function readHandshake(headers: IncomingHttpHeaders, compression: boolean): Handshake {
  const key = headers["sec-websocket-key"];
  if (headers["sec-websocket-version"] !== WEBSOCKET_VERSION)
    throw new SyntaxError(`\`Sec-WebSocket-Version\` is not ${WEBSOCKET_VERSION}.`);
  // 16 bytes in Base64.
  if (key === undefined || !/^[+/0-9A-Za-z]{22}==$/.test(key))
    throw new SyntaxError("`Sec-WebSocket-Key` is missing or malformed.");
  const extensions = headers["sec-websocket-extensions"];
  return { key, deflate: compression && extensions !== undefined ? agreeOnDeflate(extensions) : undefined };
}

/** The head that accepts it (section 4.2.2). */
export function handshakeHead({ key, deflate }: Handshake, subprotocol: string | undefined): string {
  return (
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
    `Sec-WebSocket-Accept: ${hash("sha1", key + GUID, "base64")}\r\n` +
    (subprotocol === undefined ? "" : `Sec-WebSocket-Protocol: ${subprotocol}\r\n`) +
    (deflate ? `Sec-WebSocket-Extensions: ${deflate.header}\r\n\r\n` : "\r\n")
  );
}
