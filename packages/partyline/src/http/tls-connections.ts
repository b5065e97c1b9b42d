import { constants, type Http2SecureServer, type ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Engine, Timed } from "../core/ports.ts";
import { HANDSHAKE_MS, TIMEOUTS } from "./timeouts.ts";

/** Time in milliseconds after which a connection without a stream takes no more requests. */
const IDLE_MS = 120_000;

/** Time in milliseconds for the socket of a session that has ended to close. */
const GRACE_MS = 3_000;

/** Milliseconds until the next look at the connections: the next turn of the wheel, which turns once a second. */
const LOOK = 1;

/** A connection of HTTP/2. */
interface Connection {
  readonly socket: TLSSocket;
  readonly session: ServerHttp2Session;
  readonly since: number;
  asked: boolean;
  /** Streams that are open. */
  streams: number;
  /** Time at which the last stream closed. */
  idleSince: number;
  /** Streams that began in this turn of the event loop. */
  begun: number;
  endedAt: number | undefined;
}

/**
 * The connections of a TLS server: sockets from before their handshake on, and the sessions of HTTP/2 on them. Node
 * lists neither, and leaves the socket of a session that has ended to a peer that may never close it.
 */
export class TlsConnections implements Timed {
  readonly #engine: Engine;
  readonly #sockets = new Set<Socket>();
  /** Connections whose handshake is not complete, by address and port of the peer, and since when. */
  readonly #handshakes = new Map<string, { readonly socket: Socket; readonly since: number }>();
  readonly #connections = new Set<Connection>();
  /** Connections of HTTP/2 without a request so far, the oldest first. */
  readonly #fresh = new Set<Connection>();
  readonly #streams: number;
  #watching = false;

  /** @param streams How many may be open on one connection. */
  constructor(server: Http2SecureServer, engine: Engine, streams: number) {
    this.#engine = engine;
    this.#streams = streams;
    server.on("connection", (socket: Socket) => {
      const peer = peerOf(socket);
      this.#sockets.add(socket);
      this.#handshakes.set(peer, { socket, since: engine.wheel.now });
      socket.once("close", () => {
        this.#sockets.delete(socket);
        this.#handshakes.delete(peer);
      });
      this.#watch();
    });
    server.on("tlsClientError", (_error: Error, socket: TLSSocket) => void socket.destroy());
    // Node begins the session of a socket right after this listener, and shows the socket only then.
    let newest: TLSSocket | undefined;
    server.prependListener("secureConnection", (socket: TLSSocket) => {
      newest = socket;
      this.#handshakes.delete(peerOf(socket));
    });
    server.on("session", (session) => {
      if (newest) this.#add(newest, session);
      newest = undefined;
    });
  }

  /** Lets go of connections on which nothing is under way. */
  close(): void {
    for (const { session } of this.#connections) session.close();
  }

  destroy(): void {
    for (const { session } of this.#connections) session.destroy();
    for (const socket of this.#sockets) socket.destroy();
  }

  #add(socket: TLSSocket, session: ServerHttp2Session): void {
    const { wheel, limits } = this.#engine;
    const connection: Connection = {
      socket,
      session,
      since: wheel.now,
      asked: false,
      streams: 0,
      idleSince: wheel.now,
      begun: 0,
      endedAt: undefined,
    };
    this.#connections.add(connection);
    this.#fresh.add(connection);
    socket.once("close", () => {
      this.#connections.delete(connection);
      this.#fresh.delete(connection);
    });
    session.on("stream", (stream) => {
      if (!connection.asked) this.#fresh.delete(connection);
      connection.asked = true;
      connection.streams++;
      this.#count(connection);
      stream.once("close", () => {
        connection.streams--;
        connection.idleSince = wheel.now;
      });
    });
    const [oldest] = this.#fresh;
    if (oldest && this.#fresh.size > limits.unauthenticatedConnections) oldest.socket.destroy();
    this.#watch();
  }

  /**
   * Ends a connection that begins more streams in one turn than may be open at once: some of them were reset before they
   * could be answered, and what each costs is spent before anybody else has a turn.
   */
  #count(connection: Connection): void {
    connection.begun++;
    if (connection.begun > this.#streams)
      connection.session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM);
    if (connection.begun === 1) this.#engine.clock.nextTurn(() => (connection.begun = 0));
  }

  #watch(): void {
    if (this.#watching) return;
    this.#watching = true;
    this.#engine.wheel.add(this, LOOK);
  }

  expire(now: number): number {
    for (const { socket, since } of this.#handshakes.values())
      if (now - since > HANDSHAKE_MS) socket.destroy();
    for (const connection of this.#connections) {
      const { socket, session, since, asked, streams, idleSince, endedAt } = connection;
      // Not by the session's own timeout, which Node does not end with the session: it would keep its memory.
      if (streams === 0 && now - idleSince > IDLE_MS) session.close();
      const ended = session.destroyed || (session.closed && streams === 0);
      if (!asked && now - since > TIMEOUTS.headersTimeout) socket.destroy();
      else if (!ended) continue;
      else if (endedAt === undefined) connection.endedAt = now;
      else if (now - endedAt >= GRACE_MS) socket.destroy();
    }
    this.#watching = this.#connections.size + this.#handshakes.size > 0;
    return this.#watching ? LOOK : 0;
  }
}

/** One peer has one connection from each of its ports. */
function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
