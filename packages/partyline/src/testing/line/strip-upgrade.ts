const REQUEST = /^[A-Z]+ [^\r\n]+ HTTP\/1\.1\r\n/;
const HEADERS = /\r\n(?:upgrade|connection):[^\r\n]*/gi;
const END = "\r\n\r\n";

/** Takes `Upgrade` and `Connection` out of the request that begins with these bytes; other bytes stay as they are. */
export function withoutUpgrade(bytes: Buffer): Buffer {
  const end = bytes.indexOf(END);
  if (end < 0) return bytes;
  const head = bytes.toString("latin1", 0, end);
  if (!REQUEST.test(`${head}\r\n`)) return bytes;
  return Buffer.concat([Buffer.from(head.replace(HEADERS, ""), "latin1"), bytes.subarray(end)]);
}
