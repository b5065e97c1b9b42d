/** Connections of an attacker: bytes out, and a look at what comes back. */
import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Place } from "../support/bystander/index.ts";

/** Marks of an answer that says that something failed inside the server. */
const INTERNAL = [/HTTP\/1\.1 500/, /"code":"internal"/, /"status":500/];

/** Characters of {@link Line.text} and {@link Line.tail}. */
const TEXT = 65_536;
const TAIL = 512;

/** The beginning of an answer. */
const ANSWER = "HTTP/1.1 ";

/** Length of the end of a chunk that is searched again together with the next one. */
const OVERLAP = 24;

/** One connection of an attacker. */
export class Line {
  readonly socket: Socket;
  /** The first bytes that came back, as latin1. */
  text = "";
  /** The newest bytes that came back, as latin1. */
  tail = "";
  /** The number of bytes that came back. */
  received = 0;
  /** The number of answers of HTTP/1.1 that have begun. */
  answers = 0;
  /** Resolves when the connection has ended, for whatever reason. */
  readonly closed: Promise<void>;
  #end = "";
  #ended = false;

  /** @param onInternal Receives what came back around an internal error. */
  constructor(socket: Socket, onInternal: (text: string) => void) {
    this.socket = socket;
    this.closed = new Promise((resolve) => {
      socket.on("close", () => {
        this.#ended = true;
        resolve();
      });
    });
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      const piece = chunk.toString("latin1");
      if (this.text.length < TEXT) this.text += piece;
      // One character less than the mark, so that none is counted twice.
      this.answers += (this.tail.slice(1 - ANSWER.length) + piece).split(ANSWER).length - 1;
      this.tail = (this.tail + piece).slice(-TAIL);
      this.received += chunk.length;
      const seen = this.#end + piece;
      if (INTERNAL.some((mark) => mark.test(seen))) onInternal(seen.slice(0, 2_000));
      this.#end = piece.slice(-OVERLAP);
    });
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Writes, and waits until the kernel has room for more; false when the connection has ended. */
  async send(bytes: Buffer | string): Promise<boolean> {
    if (this.#ended) return false;
    if (!this.socket.write(bytes)) await Promise.race([this.#event("drain"), this.closed]);
    return !this.#ended;
  }

  /** Resolves when this has come back; false when the connection ended before. */
  async until(mark: string): Promise<boolean> {
    while (!this.text.includes(mark) && !this.tail.includes(mark)) {
      if (this.#ended) return false;
      await Promise.race([this.#event("data"), this.closed]);
    }
    return true;
  }

  /** Resolves when this many answers have begun; false when the connection ended before. */
  async answered(count: number): Promise<boolean> {
    while (this.answers < count && !this.#ended) await Promise.race([this.#event("data"), this.closed]);
    return this.answers >= count;
  }

  leave(): void {
    this.socket.destroy();
  }

  /** Resolves at the next event of this name, and never rejects: an error is followed by the end. */
  #event(name: string): Promise<void> {
    return new Promise((resolve) => this.socket.once(name, () => resolve()));
  }
}

/** Opens connections of one attacker, and keeps the account of what came back on them. */
export class Attacker {
  readonly place: Place;
  /** Answers that told of an internal error. */
  readonly internal: string[] = [];
  readonly #lines = new Set<Line>();

  constructor(place: Place) {
    this.place = place;
  }

  /** Opens a connection; with TLS, unless the handshake is left out. */
  async open({ protocol, bare = false }: { protocol?: "h2"; bare?: boolean } = {}): Promise<Line> {
    const { port, tls, from = "127.0.0.1" } = this.place;
    const to = { host: "127.0.0.1", port, localAddress: from };
    const shaken = tls && !bare;
    const socket = shaken
      ? connectTls({ ...to, rejectUnauthorized: false, ALPNProtocols: [protocol ?? "http/1.1"] })
      : connectTcp(to);
    const line = new Line(socket, (text) => this.internal.push(text));
    this.#lines.add(line);
    void line.closed.then(() => this.#lines.delete(line));
    await Promise.race([
      once(socket, shaken ? "secureConnect" : "connect").catch(() => undefined),
      line.closed,
    ]);
    return line;
  }

  /** Opens a WebSocket by hand; resolves after the head of the server's answer. */
  async webSocket(path: string, extensions = ""): Promise<Line> {
    const line = await this.open();
    const offer = extensions === "" ? "" : `Sec-WebSocket-Extensions: ${extensions}\r\n`;
    await line.send(
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n${offer}\r\n`,
    );
    await line.until("\r\n\r\n");
    return line;
  }

  /** Ends all connections. */
  async leave(): Promise<void> {
    const all = [...this.#lines];
    for (const line of all) line.leave();
    await Promise.all(all.map(({ closed }) => closed));
  }
}
