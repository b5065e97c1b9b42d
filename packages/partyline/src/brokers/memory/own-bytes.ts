const NONE = new Uint8Array(0);

/**
 * Bytes that pin nothing but themselves. What comes from a socket is a view of a receive chunk of up to 64 KiB, which
 * would live as long as the message. Small copies share a slab of Node's pool: an ArrayBuffer of their own would cost
 * 200 bytes more each.
 */
export function ownBytes(data: Uint8Array): Uint8Array {
  const { byteLength } = data;
  if (byteLength === 0) return NONE;
  const pooled = byteLength < Buffer.poolSize >>> 1;
  if (!pooled && byteLength === data.buffer.byteLength) return data;
  const copy = Buffer.allocUnsafe(byteLength);
  copy.set(data);
  return copy;
}
