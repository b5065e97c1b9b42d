import type { Duplex } from "node:stream";
import type { Connection, Outgoing } from "../core/ports.ts";
import { CLOSE } from "../protocol/close-codes.ts";
import { ERRORS, type PartylineError } from "../protocol/errors.ts";
import type { Compression } from "./compression.ts";
import { type FrameListener, FrameReader, type FrameRules } from "./frame-reader.ts";
import type { Malformed } from "./malformed.ts";
import { PacedPeer } from "./paced-peer.ts";
import type { Kept, Parting } from "./registry.ts";
import type { Seat } from "./seat.ts";
import type { Surroundings } from "./surroundings.ts";
import { closeFrame, PING_FRAME, PONG_FRAME, wholeFrame } from "./websocket-frame.ts";

/** Whose socket this is: shared listeners find it by `this`. */
const CONNECTION: unique symbol = Symbol("partyline.websocket");

type Out = Duplex & { [CONNECTION]?: WebSocketConnection };

const PING = wholeFrame(PING_FRAME, new Uint8Array(0));

/** How long a peer is given to answer a close, and one that was too slow to take it, seconds. */
const FAREWELL = 5;

/**
 * `waiting`: no handshake yet. `open`. `parting`: it is to be closed, by whichever side, when all that comes before the
 * close has been said. `closed`: our close frame was written, and nothing is behind it. `gone`.
 */
type State = "waiting" | "open" | "parting" | "closed" | "gone";

/** Pings of one turn that are answered each; of more, the newest alone. */
const PONGS_PER_TURN = 32;

/**
 * `quiet`: something came lately. `asked`: a ping is out. `full`: the peer takes no bytes, so that its silence says
 * nothing. `leaving`: it took none for too long.
 */
type Pulse = "quiet" | "asked" | "full" | "leaving";

/** What a handshake has agreed on. */
export interface WebSocketTerms {
  readonly rules: FrameRules;
  /** Does the peer take our compressed frames? */
  readonly deflates: boolean;
}

/** A WebSocket, from its handshake on: all that is written to its TCP socket is written here, as whole frames. */
export abstract class WebSocketConnection extends PacedPeer implements Connection, Kept, FrameListener {
  readonly #seat: Seat;
  index = -1;
  #state: State = "waiting";
  #out: Out | undefined;
  #reader: FrameReader | undefined;
  #deflates = false;
  #pulse: Pulse = "quiet";
  /** Second since which the pulse is what it is; where it is closed: since when. */
  #since = 0;
  /** Bytes that arrived since the pulse became `asked`, or since they were last judged. */
  #arrived = 0;
  /** Data of the newest ping that has no answer yet. */
  #owed: Buffer | undefined;
  /** Pings of this turn. */
  #pings = 0;

  constructor(surroundings: Surroundings, seat: Seat) {
    super(surroundings);
    this.#seat = seat;
  }

  abstract write(outgoing: Outgoing): boolean;
  abstract message(data: Buffer, isBinary: boolean, extra: number): void;
  /** Calls `finish` when all that is to be said before the close has been written. */
  protected abstract closing(finish: () => void): void;
  /** The socket takes bytes again. */
  protected abstract roomAgain(): void;
  /** Handles what is left of a message that was read, until it is done or the peer is held. */
  protected rest(): void {}
  /** Called once, after the end. */
  protected abstract over(): void;

  // --- from the host ------------------------------------------------------------------------------------------

  /**
   * The handshake is done.
   *
   * @param head What came with it.
   */
  begin(out: Duplex, head: Buffer, { rules, deflates }: WebSocketTerms): void {
    this.#state = "open";
    this.#out = out;
    this.#out[CONNECTION] = this;
    this.#reader = new FrameReader(rules, this);
    this.#deflates = deflates;
    this.#since = this.surroundings.registry.second;
    this.surroundings.registry.add(this);
    this.surroundings.engine.metrics.count("connections", "websocket");
    this.opened();
    if (head.length > 0) this.received(head);
    out.on("data", outOnData).on("end", outOnEnd).on("close", outOnClose);
  }

  /** Called once, before the first frame is read. */
  protected abstract opened(): void;

  /** There will be no handshake. */
  abandon(): void {
    this.gone();
  }

  // --- writing ------------------------------------------------------------------------------------------------

  /** Is the socket's own buffer over its mark? */
  protected get full(): boolean {
    return this.#pulse === "full";
  }

  /** The formats for this peer, where it takes compressed frames. */
  protected get compression(): Compression["webSocket"] | undefined {
    return this.#deflates ? this.surroundings.compression?.webSocket : undefined;
  }

  /** Writes whole frames; false where the peer takes no more for now. */
  protected send(frames: Uint8Array): boolean {
    const out = this.#out;
    // After a close frame nothing is written, and nothing into a socket that was ended.
    if (!out || (this.#state !== "open" && this.#state !== "parting")) return true;
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
    this.#payPong();
    this.roomAgain();
  }

  // --- reading ------------------------------------------------------------------------------------------------

  received(chunk: Buffer): void {
    if (this.#pulse === "asked") this.#arrived += chunk.length;
    if (!this.surroundings.engine.work.begin()) this.yield();
    this.#reader?.read(chunk);
  }

  /** The peer was welcomed: larger frames are allowed. */
  protected allowLargerFrames(): void {
    this.#reader?.welcome();
  }

  more(): void {
    if (this.surroundings.engine.work.over) this.yield();
  }

  protected override pause(): void {
    this.#reader?.pause();
    this.#out?.pause();
  }

  protected override readOn(): void {
    try {
      this.rest();
      const reader = this.#reader;
      if (!reader || this.held) return;
      // The answer to the ping may be among the bytes that nobody has read: the ping is repeated.
      if (this.#pulse === "asked") this.#lives();
      reader.resume();
      if (!this.held) this.#out?.resume();
    } catch (error) {
      this.failed(error);
    }
  }

  /** While the connection ends, what the peer still sends is not handled, and its close must be heard. */
  protected override charge(commands: number): void {
    if (this.#state === "open") super.charge(commands);
  }

  /** Something came from the peer. That it speaks does not say that it reads: `full` stays until it has drained. */
  protected heard(): void {
    if (this.#pulse === "quiet" || this.#pulse === "asked") this.#lives();
  }

  #lives(): void {
    if (this.#state === "closed") return;
    this.#pulse = "quiet";
    this.#since = this.surroundings.registry.second;
  }

  /** A pong for the newest of several pings is enough (RFC 6455, section 5.5.3), so that no pongs are queued. */
  ping(data: Buffer): void {
    this.charge(1);
    this.heard();
    if (++this.#pings === 1) this.surroundings.engine.clock.nextTurn(() => this.#endPings());
    if (this.#pulse === "full" || this.#pings > PONGS_PER_TURN) this.#owed = Buffer.from(data);
    else this.send(wholeFrame(PONG_FRAME, data));
  }

  #endPings(): void {
    this.#pings = 0;
    if (this.#pulse !== "full") this.#payPong();
  }

  #payPong(): void {
    if (this.#owed) this.send(wholeFrame(PONG_FRAME, this.#owed));
    this.#owed = undefined;
  }

  pong(): void {
    this.charge(1);
    this.heard();
  }

  tick(second: number): void {
    const passed = second - this.#since;
    if (this.#state === "closed" || this.#pulse === "leaving") {
      if (passed >= FAREWELL) this.destroy();
      return;
    }
    const { heartbeat, engine } = this.surroundings;
    switch (this.#pulse) {
      case "quiet":
        if (passed < heartbeat.ping) return;
        this.#pulse = "asked";
        this.#since = second;
        this.#arrived = 0;
        return void this.send(PING);
      case "asked":
        // A peer that is not read at the moment can't be heard.
        if (passed <= heartbeat.pong || this.#reader?.paused === true) return;
        // On a slow uplink the answer waits behind a frame that is still arriving.
        if (this.#arrived < engine.limits.uploadBytesPerSecond * passed) return this.destroy();
        this.#since = second;
        this.#arrived = 0;
        return;
      case "full":
        if (passed * 1_000 < engine.limits.slowReader) return;
        engine.metrics.count("slow");
        this.#pulse = "leaving";
        this.#since = second;
        return this.closeWith(CLOSE.slow, "slow: took no byte for too long");
    }
  }

  // --- the end ------------------------------------------------------------------------------------------------

  abstract readonly breaks: boolean;
  abstract leave(parting: Parting): void;

  close(reason: PartylineError): void {
    this.closeWith(ERRORS[reason.code].close, `${reason.code}: ${reason.message}`);
  }

  protected closeWith(code: number, reason: string): void {
    this.#part(closeFrame(code, reason));
  }

  /** The peer closes, or answers our close. */
  left(code: number | undefined): void {
    this.#part(closeFrame(code));
    if (this.#state === "closed") this.#out?.end();
  }

  broken({ close, message }: Malformed): void {
    this.#part(closeFrame(close, message));
    if (this.#state === "closed") this.#out?.end();
  }

  /** The first close is sent: one that follows while it waits is not. */
  #part(frame: Buffer): void {
    if (this.#state !== "open") return;
    this.#state = "parting";
    this.#reader?.dropMessages();
    this.closing(() => {
      if (!this.#out || this.#state !== "parting") return;
      this.#out.write(frame);
      this.#shut();
    });
  }

  /** Nothing is written any more; the socket ends when nothing more is to come either. */
  #shut(): void {
    this.#state = "closed";
    this.#since = this.surroundings.registry.second;
    if (this.#reader?.over === true) this.#out?.end();
  }

  /** The peer has ended its side without a close. */
  ended(): void {
    if (this.#state !== "closed") this.#shut();
    this.#out?.end();
  }

  /** The server failed while it handled what came: there is no telling what is missing. */
  failed(error: unknown): void {
    this.surroundings.engine.failures.report("a connection failed", error);
    this.destroy();
  }

  destroy(): void {
    const out = this.#out;
    this.gone();
    out?.destroy();
  }

  gone(): void {
    if (this.#state === "gone") return;
    const began = this.#state !== "waiting";
    this.#state = "gone";
    this.#out?.removeListener("drain", outOnDrain);
    this.#out = undefined;
    this.#reader = undefined;
    this.surroundings.registry.remove(this);
    this.#seat.leave();
    this.over();
    if (began) this.surroundings.engine.metrics.count("closed", "websocket");
  }
}

// Shared by all: a listener of its own would cost each connection a closure.

// What a listener of a socket throws would end the process, and not the connection.

function outOnData(this: Out, chunk: Buffer): void {
  const connection = this[CONNECTION];
  try {
    connection?.received(chunk);
  } catch (error) {
    connection?.failed(error);
  }
}

function outOnEnd(this: Out): void {
  const connection = this[CONNECTION];
  try {
    connection?.ended();
  } catch (error) {
    connection?.failed(error);
  }
}

function outOnClose(this: Out): void {
  this[CONNECTION]?.gone();
}

function outOnDrain(this: Out): void {
  const connection = this[CONNECTION];
  try {
    connection?.drained();
  } catch (error) {
    connection?.failed(error);
  }
}
