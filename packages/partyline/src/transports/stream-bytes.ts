/**
 * Bytes that streams share: as they are, and as one chunk of HTTP/1.1 (RFC 9112, section 7.1). Both are one memory, so
 * that readers of either kind cost one encoding.
 */
export interface StreamBytes {
  readonly plain: Buffer;
  readonly chunk: Buffer;
}

const LINE_END = "\r\n";

/** The chunk that ends a chunked body. */
export const LAST_CHUNK = "0\r\n\r\n";

export function streamBytes(content: string | Uint8Array): StreamBytes {
  const length = Buffer.byteLength(content);
  // A chunk without content would end the body.
  if (length === 0) return NOTHING;
  const size = length.toString(16) + LINE_END;
  const chunk = Buffer.allocUnsafe(size.length + length + LINE_END.length);
  const start = chunk.write(size, "latin1");
  if (typeof content === "string") chunk.write(content, start);
  else chunk.set(content, start);
  chunk.write(LINE_END, start + length, "latin1");
  return { plain: chunk.subarray(start, start + length), chunk };
}

/** One chunk of text. */
export function textChunk(text: string): string {
  return text === "" ? "" : `${Buffer.byteLength(text).toString(16)}${LINE_END}${text}${LINE_END}`;
}

const EMPTY = Buffer.alloc(0);
const NOTHING: StreamBytes = { plain: EMPTY, chunk: EMPTY };
