import type { Wire } from "./load/order.ts";
import type { Program } from "./servers.ts";

/** A server under test, and how one speaks to it. `{channel}` stands for a number. */
export interface Peer {
  readonly name: string;
  readonly server: Program;
  /** Where a `POST` publishes its body. */
  readonly publish: string;
  readonly wire: Wire;
}

/** The request that opens a WebSocket. */
export const upgrade = (path: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/** The request that opens an event stream. */
export const stream = (path: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n`;

const SWITCHED = "101 Switching";

export const PARTYLINE = {
  name: "partyline",
  server: { script: "partyline" },
  publish: "/channels/r{channel}",
  wire: { opening: upgrade("/channels/r{channel}"), opened: SWITCHED, counts: "frames" },
} as const satisfies Peer;

export const PARTYLINE_CONNECT = {
  name: "partyline, /connect",
  server: { script: "partyline" },
  publish: "/channels/r{channel}",
  wire: {
    opening: upgrade("/connect"),
    opened: SWITCHED,
    subscribe: {
      say: '{"t":"hello","v":1}\n{"t":"attach","n":1,"channel":"r{channel}"}',
      answer: '"attached"',
    },
    counts: "marks",
    says: '{"t":"publish","n":{n},"channel":"r{channel}","id":"{id}","at":{now},"kind":"text","data":"{message}"}',
  },
} as const satisfies Peer;

export const PARTYLINE_SSE = {
  name: "partyline, SSE",
  server: { script: "partyline" },
  publish: "/channels/r{channel}",
  wire: { opening: stream("/channels/r{channel}"), opened: "event: continuous", counts: "marks" },
} as const satisfies Peer;

export const WS = {
  name: "ws",
  server: { script: "ws" },
  publish: "/r{channel}",
  wire: { opening: upgrade("/r{channel}"), opened: SWITCHED, counts: "frames" },
} as const satisfies Peer;

export const BUN = {
  name: "Bun",
  server: { script: "bun", needs: "bun" },
  publish: "/r{channel}",
  wire: { opening: upgrade("/r{channel}"), opened: SWITCHED, counts: "frames" },
} as const satisfies Peer;

export const SOCKET_IO = {
  name: "socket.io",
  server: { script: "socket-io" },
  publish: "/r{channel}",
  wire: {
    opening: upgrade("/socket.io/?EIO=4&transport=websocket&room=r{channel}"),
    opened: SWITCHED,
    subscribe: { say: "40", answer: "40{" },
    // Its pings are frames of text, too.
    counts: "marks",
    says: '42["message","{message}"]',
  },
} as const satisfies Peer;

export const NODE_SSE = {
  name: "node:http, SSE",
  server: { script: "node-sse" },
  publish: "/r{channel}",
  wire: { opening: stream("/r{channel}"), opened: "200 OK", counts: "marks" },
} as const satisfies Peer;

export const BETTER_SSE = {
  name: "better-sse",
  server: { script: "better-sse", needs: "better-sse" },
  publish: "/r{channel}",
  wire: { opening: stream("/r{channel}"), opened: "200 OK", counts: "marks" },
} as const satisfies Peer;

/** Those of the benchmarks with one channel. */
export const BROADCASTERS: readonly Peer[] = [
  PARTYLINE,
  BUN,
  WS,
  SOCKET_IO,
  PARTYLINE_SSE,
  NODE_SSE,
  BETTER_SSE,
];
