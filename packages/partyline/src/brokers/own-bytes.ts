/** Small messages share an ArrayBuffer of this size: one of its own would cost each of them 200 bytes more. */
export const SLAB_BYTES = 8 * 1024;

const NONE = new Uint8Array(0);

/**
 * Makes copies of bytes that pin nothing but their likes. What comes from a socket is a view of a receive chunk of up
 * to 64 KiB, which would live as long as the message. Node's own pool is no place for them either: its slabs have 64 KiB
 * in newer versions, and one message that is kept would keep all that passed by it.
 */
export function createByteKeeper(): (data: Uint8Array) => Uint8Array {
  let slab = new ArrayBuffer(0);
  let used = 0;
  return (data) => {
    const { byteLength } = data;
    if (byteLength === 0) return NONE;
    if (byteLength >= SLAB_BYTES / 2)
      return byteLength === data.buffer.byteLength ? data : Uint8Array.from(data);
    if (used + byteLength > slab.byteLength) {
      slab = new ArrayBuffer(SLAB_BYTES);
      used = 0;
    }
    const copy = new Uint8Array(slab, used, byteLength);
    copy.set(data);
    used += byteLength;
    return copy;
  };
}
