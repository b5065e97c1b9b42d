/** A text of a client as a WebSocket frame, masked with zeros. */
export function clientFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  const { length } = payload;
  const header =
    length < 126
      ? Buffer.of(0x81, 0x80 | length, 0, 0, 0, 0)
      : Buffer.of(0x81, 0x80 | 126, length >> 8, length & 0xff, 0, 0, 0, 0);
  return Buffer.concat([header, payload]);
}
