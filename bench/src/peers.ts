/** A server under test, and how one speaks to it. */
export interface Peer {
  readonly name: string;
  /** Script in `servers/`. */
  readonly server: string;
  /** Where a `POST` publishes its body. */
  readonly publish: string;
  readonly reader: Wire;
}

/** How a reader opens its connection and keeps it: bytes, so that measuring costs little. */
export interface Wire {
  readonly opening: string;
  /** What comes when the connection is open. */
  readonly opened: string;
  /** Text that is then sent as a WebSocket frame, and what comes when the reader is subscribed. */
  readonly subscribe?: { readonly say: string; readonly answer: string };
  /** What says now and then that the reader is there: a pong, or a text. */
  readonly alive?: "pong" | { readonly say: string };
}

const upgrade = (path: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

export const PEERS: readonly Peer[] = [
  {
    name: "partyline, WebSocket",
    server: "partyline",
    publish: "/channels/m",
    reader: { opening: upgrade("/channels/m"), opened: "101 Switching", alive: "pong" },
  },
  {
    name: "partyline, SSE",
    server: "partyline",
    publish: "/channels/m",
    reader: {
      opening: "GET /channels/m HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n",
      opened: "event: continuous",
    },
  },
  {
    name: "ws",
    server: "ws",
    publish: "/",
    reader: { opening: upgrade("/"), opened: "101 Switching" },
  },
  {
    name: "socket.io",
    server: "socket-io",
    publish: "/publish",
    reader: {
      opening: upgrade("/socket.io/?EIO=4&transport=websocket"),
      opened: "101 Switching",
      subscribe: { say: "40", answer: "40{" },
      alive: { say: "3" },
    },
  },
];
