import type { Duplex } from "node:stream";
import { WebSocket } from "ws";
import type { Connection, Outgoing } from "../core/ports.ts";
import { CLOSE } from "../protocol/close-codes.ts";
import { ERRORS, type PartylineError } from "../protocol/errors.ts";
import type { Compression } from "./deflate.ts";
import type { Kept, Parting } from "./registry.ts";
import type { Seat } from "./seat.ts";
import type { Surroundings } from "./surroundings.ts";
import type { ServerSocket, SocketOwner } from "./websocket-server.ts";

/** Most bytes of a close frame's reason. */
const MAX_REASON = 123;

/** Whose socket this is: shared listeners find it by `this`. */
const CONNECTION: unique symbol = Symbol("partyline.websocket");

type Out = Duplex & { [CONNECTION]?: WebSocketConnection };

/** How long a peer that was too slow is given to take the close, seconds. */
const FAREWELL = 5;

/**
 * `quiet`: something came lately. `asked`: a ping is out. `full`: the peer takes no bytes, so that its silence says
 * nothing. `leaving`: it took none for too long.
 */
type Pulse = "quiet" | "asked" | "full" | "leaving";

/**
 * A WebSocket whose data frames go straight to its TCP socket. `ws` reads, and writes pong, ping and close; its own
 * `send` is never used, so there is one order.
 */
export abstract class WebSocketConnection implements Connection, Kept, SocketOwner {
  protected readonly surroundings: Surroundings;
  readonly #seat: Seat;
  index = -1;
  #socket: ServerSocket | undefined;
  #out: Out | undefined;
  #pulse: Pulse = "quiet";
  /** Second since which the pulse is what it is. */
  #since = 0;
  #gone = false;
  /** What the newest ping said that came while nothing could be written. */
  #owed: Buffer | undefined;

  constructor(surroundings: Surroundings, seat: Seat) {
    this.surroundings = surroundings;
    this.#seat = seat;
  }

  abstract write(outgoing: Outgoing): boolean;
  abstract received(data: Buffer, isBinary: boolean): void;
  abstract closing(finish: () => void): void;
  /** The socket takes bytes again. */
  protected abstract roomAgain(): void;
  /** Called once, after the end. */
  protected abstract over(): void;

  // --- from the host ------------------------------------------------------------------------------------------

  /** The handshake is done. */
  begin(socket: ServerSocket, out: Duplex): void {
    this.#socket = socket;
    this.#out = out;
    this.#out[CONNECTION] = this;
    this.#since = this.surroundings.registry.second;
    this.surroundings.registry.add(this);
    socket.own(this);
    this.surroundings.engine.metrics.count("connections", "websocket");
  }

  /** There will be no handshake. */
  abandon(): void {
    this.gone();
  }

  // --- writing ------------------------------------------------------------------------------------------------

  protected get open(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Is the socket's own buffer over its mark? */
  protected get full(): boolean {
    return this.#pulse === "full";
  }

  /** The formats for this peer, where it takes compressed frames. */
  protected get compression(): Compression | undefined {
    return this.#socket?.deflates === true ? this.surroundings.compression : undefined;
  }

  /** Writes whole frames; false where the peer takes no more for now. */
  protected send(frames: Uint8Array): boolean {
    const out = this.#out;
    // After a close frame nothing is written, and nothing into a socket that was ended.
    if (!out || this.#socket?.readyState !== WebSocket.OPEN) return true;
    if (out.write(frames)) return true;
    if (this.#pulse === "quiet" || this.#pulse === "asked") {
      this.#pulse = "full";
      this.#since = this.surroundings.registry.second;
      out.on("drain", outOnDrain);
    }
    return false;
  }

  cork(): void {
    this.#out?.cork();
  }

  uncork(): void {
    this.#out?.uncork();
  }

  drained(): void {
    this.#out?.removeListener("drain", outOnDrain);
    if (this.#pulse !== "full") return;
    this.#lives();
    if (this.#owed) this.#socket?.pong(this.#owed);
    this.#owed = undefined;
    this.roomAgain();
  }

  // --- reading ------------------------------------------------------------------------------------------------

  protected pause(): void {
    this.#socket?.pause();
  }

  protected resume(): void {
    if (this.#socket?.isPaused !== true) return;
    // What it was asked while nobody read may be waiting: it is asked anew.
    if (this.#pulse === "asked") this.heard();
    this.#socket.resume();
  }

  /** Something came from the peer. That it speaks does not say that it reads: `full` stays until it has drained. */
  heard(): void {
    if (this.#pulse === "quiet" || this.#pulse === "asked") this.#lives();
  }

  #lives(): void {
    this.#pulse = "quiet";
    this.#since = this.surroundings.registry.second;
  }

  /** A pong for the newest of several pings is enough (RFC 6455, section 5.5.3), so that none of them is queued. */
  pinged(data: Buffer): void {
    if (this.#pulse === "full") this.#owed = Buffer.from(data);
    else {
      this.heard();
      this.#socket?.pong(data);
    }
  }

  tick(second: number): void {
    const socket = this.#socket;
    if (!socket) return;
    const { heartbeat, engine } = this.surroundings;
    const passed = second - this.#since;
    switch (this.#pulse) {
      case "quiet":
        if (passed < heartbeat.ping || socket.readyState !== WebSocket.OPEN) return;
        this.#pulse = "asked";
        this.#since = second;
        return socket.ping();
      case "asked":
        // A peer that is not read at the moment can't be heard.
        if (passed > heartbeat.pong && !socket.isPaused) this.destroy();
        return;
      case "full":
        if (passed * 1_000 < engine.limits.slowReader) return;
        engine.metrics.count("slow");
        this.#pulse = "leaving";
        this.#since = second;
        return this.closeWith(CLOSE.slow, "slow: took no byte for too long");
      case "leaving":
        if (passed >= FAREWELL) this.destroy();
        return;
    }
  }

  // --- the end ------------------------------------------------------------------------------------------------

  abstract readonly breaks: boolean;
  abstract leave(parting: Parting): void;

  close(reason: PartylineError): void {
    this.closeWith(ERRORS[reason.code].close, `${reason.code}: ${reason.message}`);
  }

  protected closeWith(code: number, reason: string): void {
    this.#socket?.close(code, shorten(reason));
  }

  destroy(): void {
    const out = this.#out;
    this.gone();
    out?.destroy();
  }

  gone(): void {
    if (this.#gone) return;
    this.#gone = true;
    const began = this.#out !== undefined;
    this.#out?.removeListener("drain", outOnDrain);
    this.#socket = undefined;
    this.#out = undefined;
    this.surroundings.registry.remove(this);
    this.#seat.leave();
    this.over();
    if (began) this.surroundings.engine.metrics.count("closed", "websocket");
  }
}

function outOnDrain(this: Out): void {
  this[CONNECTION]?.drained();
}

/** As much of the text as fits, in whole characters. */
function shorten(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length <= MAX_REASON) return bytes;
  let end = MAX_REASON;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end);
}
