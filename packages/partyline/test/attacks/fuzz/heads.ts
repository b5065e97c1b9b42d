/** Request lines, heads and bodies of HTTP/1.1. */
import type { Random } from "../../chaos/random.ts";
import { type Grammar, mutate, often, randomBytes } from "./case.ts";
import { body } from "./lines.ts";

const METHODS = [
  "GET",
  "POST",
  "DELETE",
  "PUT",
  "HEAD",
  "OPTIONS",
  "PATCH",
  "TRACE",
  "CONNECT",
  "PRI",
  "M-SEARCH",
  "get",
  "",
  "G\x00T",
];
const VERSIONS = [
  "HTTP/1.1",
  "HTTP/1.0",
  "HTTP/2.0",
  "HTTP/0.9",
  "HTTP/1.2",
  "HTTP/3.0",
  "HTTP/9.9",
  "http/1.1",
  "HTTP/1",
  "HTTP/11.1",
  "",
  "ICE/1.0",
  "RTSP/1.0",
];
const ENDS = ["\r\n", "\n", "\r", "\r\n\r\n"];

/** Names of channels that are used: few, so that what is stored is bounded. */
const NAMES = [
  "a",
  "a/b",
  "latest/a",
  "nothing/a",
  "server/a",
  "cafe%CC%81",
  "caf%C3%A9",
  "%F0%9F%8E%89",
  "a%20b",
  "$a",
];
const BAD_NAMES = [
  "",
  "/",
  "//",
  "a//b",
  "..",
  "../x",
  ".",
  "%2e%2e",
  "a%2Fb",
  "%",
  "%zz",
  "%00",
  "*",
  "{x}",
  "a:b",
  "%ED%A0%80",
  "%FF",
];
const SINCE = [
  "now",
  "earliest",
  "last:2",
  "last:0",
  "last:-1",
  "last:99999999999999999999",
  "",
  "x:1",
  "000000000000:0",
  "zzzzzzzzzzzz:9007199254740991",
  "0mhlk2v9q7xa:07",
  "%00",
  "v1,-",
  "v1,-,-",
  "v1,x",
];
const NUMBERS = [
  "0",
  "1",
  "-1",
  "0.001",
  "1e3",
  "1e400",
  "NaN",
  "Infinity",
  "",
  " 1",
  "0x10",
  "999999999999999999999",
  "٣",
];

function name(random: Random): string {
  return random.weighted([
    [80, () => random.pick(NAMES)],
    [15, () => random.pick(BAD_NAMES)],
    [5, () => often(random, "x/")],
  ])();
}

function query(random: Random): string {
  const fields = Array.from({ length: random.between(0, 4) }, () => {
    const field = random.pick([
      "since",
      "limit",
      "key",
      "channel",
      "maxRate",
      "lastEventId",
      "wait",
      "x",
      "%",
      "",
    ]);
    // A long poll would hold up the run.
    if (field === "wait") return `wait=${random.pick(["0", "-1", "x", "1e9", "0.5"])}`;
    const value = random.pick([random.pick(SINCE), random.pick(NUMBERS), name(random), often(random, "k")]);
    return random.chance(90) ? `${field}=${value}` : field;
  });
  return fields.length === 0 ? "" : `?${fields.join(random.pick(["&", "&", "&", "&&", ";"]))}`;
}

function target(random: Random): string {
  const path = random.weighted([
    [50, () => `/channels/${name(random)}`],
    [12, () => "/events"],
    [20, () => "/connect"],
    [4, () => random.pick(["/connect/ready", "/connect/live", "/connect/", "/connect/x"])],
    [
      8,
      () =>
        random.pick([
          "/",
          "/channels",
          "/channels/",
          "*",
          "",
          "//",
          "/\\",
          "/./channels/a",
          "localhost:80",
          "/%63onnect",
        ]),
    ],
  ])();
  const whole = random.chance(6)
    ? random.pick(["http://localhost", "http://evil.example", "ftp://x", "http://", "://"]) + path
    : path;
  return whole + query(random) + (random.chance(2) ? "#x" : "");
}

const FIELDS: readonly (readonly [name: string, values: readonly string[]])[] = [
  [
    "Accept",
    [
      "text/event-stream",
      "text/event-stream;q=0",
      "*/*",
      "application/json",
      "text/*, ;;;,",
      "",
      "text/event-stream, text/html",
    ],
  ],
  ["Accept-Encoding", ["gzip", "gzip;q=0", "identity", "*", "gzip;q=x", "br, gzip;q=1.0000", ""]],
  ["Authorization", ["Bearer x", "Bearer", "bearer  y", "Basic eDp5", "", "Bearer \xff"]],
  [
    "Connection",
    [
      "Upgrade",
      "close",
      "keep-alive",
      "keep-alive, Upgrade",
      "upgrade, close",
      "",
      "Host",
      "Transfer-Encoding",
    ],
  ],
  ["Content-Encoding", ["gzip", "identity", "x", ""]],
  [
    "Content-Length",
    ["0", "1", "-1", "+5", "5, 5", "9999999999999999999999", "0x5", "1e3", "", "4096", "500000"],
  ],
  [
    "Content-Type",
    [
      "application/json",
      "application/json; charset=utf-16",
      "text/plain",
      "application/octet-stream",
      "application/x-ndjson",
      "application/x-www-form-urlencoded",
      "multipart/form-data",
      "",
      ";",
      "x",
    ],
  ],
  ["Cookie", ["a=b", "", "; ; ;"]],
  ["Expect", ["100-continue", "100-Continue", "x", ""]],
  [
    "Host",
    [
      "localhost",
      "localhost:80",
      "LOCALHOST",
      "127.0.0.1",
      "[::1]",
      "[::1",
      "evil.example",
      "",
      "localhost, evil",
      "localhost:99999",
      "\xff",
      "localhost@evil",
      "a b",
    ],
  ],
  ["Idempotency-Key", ["k1", '"k1"', "", "k".repeat(64), "k".repeat(65), "\xe9"]],
  ["Last-Event-ID", SINCE],
  [
    "Origin",
    [
      "http://localhost",
      "null",
      "http://evil.example",
      "",
      "capacitor://localhost",
      "x",
      "http://localhost:99999",
      "://",
    ],
  ],
  ["Access-Control-Request-Method", ["POST", "x", ""]],
  ["Access-Control-Request-Headers", ["x", "authorization, x-y", "", ",,,"]],
  ["Sec-Fetch-Site", ["same-origin", "cross-site", "same-site", "none", "x"]],
  ["Sec-WebSocket-Key", ["dGhlIHNhbXBsZSBub25jZQ==", "", "x", "dGhlIHNhbXBsZSBub25jZQ", "====="]],
  ["Sec-WebSocket-Version", ["13", "8", "", "13, 8", "x"]],
  ["Sec-WebSocket-Protocol", ["partyline.v1", "x", "", "partyline.v1, x", ","]],
  [
    "Sec-WebSocket-Extensions",
    [
      "permessage-deflate",
      "permessage-deflate; client_max_window_bits",
      "permessage-deflate; server_max_window_bits=8",
      "permessage-deflate; server_max_window_bits=99",
      "x",
      ";",
      "permessage-deflate; a=b; a=b",
      'permessage-deflate; server_max_window_bits="10"',
      "",
    ],
  ],
  ["TE", ["trailers", "x"]],
  [
    "Transfer-Encoding",
    ["chunked", "gzip, chunked", "chunked, chunked", "identity", "xchunked", "", "chunked;x"],
  ],
  ["Upgrade", ["websocket", "WebSocket", "h2c", "websocket, h2c", "TLS/1.0", ""]],
  ["HTTP2-Settings", ["AAMAAABkAAQAAP__", ""]],
];

function fields(random: Random): Buffer[] {
  const all: string[] = random.chance(92) ? ["Host: localhost"] : [];
  if (random.chance(12))
    all.push(
      "Upgrade: websocket",
      "Connection: Upgrade",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    );
  for (let count = random.between(0, 6); count > 0; count--) {
    const [field, values] = random.pick(FIELDS);
    all.push(`${field}: ${random.pick(values)}`);
  }
  if (random.chance(6))
    all.push(
      random.pick([
        " folded",
        ": x",
        "no colon",
        "X\x00: y",
        "X : y",
        `X-Long: ${often(random, "v".repeat(40))}`,
        "__proto__: x",
        "constructor: y",
      ]),
    );
  const order = all.map((field) => [random.next(), field] as const).sort(([one], [other]) => one - other);
  const end = random.chance(95) ? "\r\n" : random.pick(ENDS);
  return order.map(([, field]) => Buffer.from(field + end, "latin1"));
}

function chunks(random: Random, data: Buffer): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; at < data.length;) {
    const size = random.between(1, Math.max(1, Math.min(data.length - at, random.pick([1, 10, 5_000]))));
    const told = random.chance(97)
      ? size.toString(16)
      : random.pick(["", "-1", "x", "ffffffffffffffffff", "0", "1;ext=y", `${size.toString(16)} `]);
    pieces.push(Buffer.from(`${told}\r\n`), data.subarray(at, at + size), Buffer.from("\r\n"));
    at += size;
  }
  return Buffer.concat([
    ...pieces,
    Buffer.from(random.pick(["0\r\n\r\n", "0\r\n\r\n", "0\r\n\r\n", "0\r\nTrailer: x\r\n\r\n", ""])),
  ]);
}

function request(random: Random): Buffer[] {
  const method = random.weighted([
    [45, "GET"],
    [35, "POST"],
    [20, random.pick(METHODS)],
  ]);
  const version = random.chance(88) ? "HTTP/1.1" : random.pick(VERSIONS);
  const line = `${method} ${target(random)} ${version}${random.chance(97) ? "\r\n" : random.pick(ENDS)}`;
  const pieces = [Buffer.from(line, "latin1"), ...fields(random)];
  if (method === "GET" || random.chance(10)) return [...pieces, Buffer.from("\r\n")];
  const data = random.chance(70) ? Buffer.from(body(random)) : randomBytes(random, random.between(0, 300));
  if (random.chance(25))
    return [
      ...pieces,
      Buffer.from("Transfer-Encoding: chunked\r\n"),
      Buffer.from("\r\n"),
      chunks(random, data),
    ];
  const length = random.chance(93) ? data.length : random.between(0, data.length + 10);
  return [...pieces, Buffer.from(`Content-Length: ${length}\r\n`), Buffer.from("\r\n"), data];
}

/** One to three requests on one connection. */
export const heads: Grammar = (random) => {
  const pieces = Array.from(
    {
      length: random.weighted([
        [70, 1],
        [20, 2],
        [10, 3],
      ]),
    },
    () => request(random),
  ).flat();
  return { kind: "heads", pieces: mutate(random, pieces) };
};
