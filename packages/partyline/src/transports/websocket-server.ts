import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocket, WebSocketServer } from "ws";
import type { Limits } from "../protocol/limits.ts";

/** How long a peer is given to answer a close, ms. */
const CLOSE_TIMEOUT = 5_000;

/** A connection as its WebSocket sees it. */
export interface SocketOwner {
  received(data: Buffer, isBinary: boolean): void;
  /** The peer lives. */
  heard(): void;
  /** The peer asks for a pong with these bytes. */
  pinged(data: Buffer): void;
  /** All that is to be said before the close has to be written; then `finish` is called. */
  closing(finish: () => void): void;
  gone(code: number): void;
}

/**
 * A `ws` socket that only reads, answers pings and closes: all data is written past it. Its `close`, which `ws` itself
 * calls when the peer's close frame comes, waits for what must be said first; once it has gone to `ws` the socket is
 * no longer `OPEN`, and nobody writes any more.
 */
export class ServerSocket extends WebSocket {
  #owner: SocketOwner | undefined = undefined;
  /** Does the peer take our compressed frames? They are made with the largest window, which not every peer has. */
  deflates = false;
  #ending = false;

  /** Who is told; once, right after the handshake. */
  own(owner: SocketOwner): void {
    this.#owner = owner;
    this.on("message", socketOnMessage)
      .on("ping", socketOnPing)
      .on("pong", socketOnPong)
      .on("close", socketOnClose)
      .on("error", ignore);
  }

  get owner(): SocketOwner | undefined {
    return this.#owner;
  }

  override close(code?: number, data?: string | Buffer): void {
    // A second close while the first waits: the first one's code is sent, as `ws` itself does.
    if (this.#ending && this.readyState === WebSocket.OPEN) return;
    if (!this.#owner || this.readyState !== WebSocket.OPEN) return super.close(code, data);
    this.#ending = true;
    this.#owner.closing(() => super.close(code, data));
  }
}

function socketOnMessage(this: WebSocket, data: unknown, isBinary: boolean): void {
  // `binaryType` is left as it is, so that data is always one Buffer.
  (this as ServerSocket).owner?.received(data as Buffer, isBinary);
}

function socketOnPing(this: WebSocket, data: Buffer): void {
  (this as ServerSocket).owner?.pinged(data);
}

function socketOnPong(this: WebSocket): void {
  (this as ServerSocket).owner?.heard();
}

function socketOnClose(this: WebSocket, code: number): void {
  (this as ServerSocket).owner?.gone(code);
}

function ignore(): void {
  // `close` follows with the code.
}

/** The server side of the handshake; `refused` is called where `ws` finds a fault in it. */
export interface Handshakes {
  /** @returns The socket, or `undefined` where there is none: it was refused, or the peer has gone. */
  complete(request: IncomingMessage, socket: Duplex, head: Buffer): ServerSocket | undefined;
}

/** What {@link createHandshakes} is told. */
export interface HandshakeOptions {
  readonly limits: Limits;
  /** Largest message, bytes (close 1009). */
  readonly maxPayload: number;
  /** Chosen where the peer offers it. */
  readonly subprotocol: string | undefined;
  /** Is `permessage-deflate` taken where the peer offers it? */
  readonly compression: boolean;
  /** The handshake is at fault: what to tell, and where. */
  refused(socket: Duplex, problem: string): void;
}

/** One for raw channels and one for `/connect`: `ws` fixes the limit of a frame at the handshake. */
export function createHandshakes(options: HandshakeOptions): Handshakes {
  const { limits, maxPayload, subprotocol, compression } = options;
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    // Neither side keeps what it has seen between two messages: ours are shared, and a peer's would cost memory.
    perMessageDeflate: compression && { serverNoContextTakeover: true, clientNoContextTakeover: true },
    // Of its own accord `ws` gives up a peer that has 60 pongs coming to it; who is slow may have.
    autoPong: false,
    maxPayload,
    maxFragments: limits.fragments,
    WebSocket: ServerSocket,
    handleProtocols: (offered) =>
      subprotocol !== undefined && offered.has(subprotocol) ? subprotocol : false,
    ...{ closeTimeout: CLOSE_TIMEOUT },
  });
  let deflates = false;
  if (compression)
    server.on("headers", (headers) => {
      const agreed = headers.find((header) => header.startsWith("Sec-WebSocket-Extensions:"));
      deflates = agreed !== undefined && !agreed.includes("server_max_window_bits");
    });
  server.on("wsClientError", (error: Error, socket: Duplex) => options.refused(socket, error.message));
  return {
    complete(request, socket, head) {
      let opened: ServerSocket | undefined;
      server.handleUpgrade(request, socket, head, (webSocket) => {
        opened = webSocket;
        opened.deflates = deflates;
      });
      return opened;
    },
  };
}
