import { isUtf8 } from "node:buffer";
import { CLOSE } from "../protocol/close-codes.ts";
import { GrowingBytes } from "./growing-bytes.ts";
import { inflateMessage } from "./inflate.ts";
import { Malformed } from "./malformed.ts";
import { BINARY_FRAME, CLOSE_FRAME, COMPRESSED, FIN, PING_FRAME, PONG_FRAME } from "./websocket-frame.ts";

const CONTINUATION = 0x0;
/** From here on opcodes are those of control frames. */
const CONTROL = 0x8;
const MAX_CONTROL = 125;
const OPCODE = 0x0f;
const RESERVED = 0x70;
const MASKED = 0x80;

const NOTHING: Buffer = Buffer.alloc(0);

/** Bytes between two calls of {@link FrameListener.more}, which has to look at the clock. */
const MORE_BYTES = 1024;

/** Bytes made by inflating, and frames of one message, that cost as much as one command. */
const BYTES_PER_COMMAND = 4096;
const FRAMES_PER_COMMAND = 16;

/** What is read from one peer, in its order. */
export interface FrameListener {
  /** @param extra What the message cost beside its bytes on the wire, in commands. */
  message(data: Buffer, isBinary: boolean, extra: number): void;
  ping(data: Buffer): void;
  pong(): void;
  /** The peer's close frame: nothing is read behind it. */
  left(code: number | undefined): void;
  /** It broke the protocol: nothing more is read. */
  broken(fault: Malformed): void;
  /** More has come than was read: called between frames, so that the listener can pause. */
  more(): void;
}

/** What a peer may send. */
export interface FrameRules {
  /** Largest message, bytes. */
  readonly messageBytes: number;
  /** Most frames of a message. */
  readonly fragments: number;
  /** May messages be compressed? */
  readonly inflates: boolean;
  /** Rules after the peer was welcomed, if they differ. */
  readonly welcomed?: FrameRules;
}

/** A message of which not all frames have come. */
interface Begun {
  readonly isBinary: boolean;
  readonly compressed: boolean;
  readonly data: GrowingBytes;
  frames: number;
}

/** `busy`: what came is being told, which may ask for more. `over`: nothing more is read. */
type State = "ready" | "busy" | "over";

/** Reads what a client sends (RFC 6455, section 5; RFC 7692, section 6), however it is cut into pieces. */
export class FrameReader {
  #rules: FrameRules;
  readonly #listener: FrameListener;
  #state: State = "ready";
  #paused = false;
  /** Whether messages are dropped as they come. */
  #deaf = false;
  /** What came and was not read: the beginning of a frame, or all that came behind a pause. */
  #rest: GrowingBytes | undefined;
  /** So many bytes must be there to go on. */
  #needed = 0;
  #begun: Begun | undefined;

  constructor(rules: FrameRules, listener: FrameListener) {
    this.#rules = rules;
    this.#listener = listener;
  }

  get paused(): boolean {
    return this.#paused;
  }

  get over(): boolean {
    return this.#state === "over";
  }

  /** The peer was welcomed. */
  welcome(): void {
    this.#rules = this.#rules.welcomed ?? this.#rules;
  }

  /**
   * Drops messages from now on, and reads control frames alone: the connection ends, and the peer's close is to be
   * heard. What nobody handles is not inflated.
   */
  dropMessages(): void {
    this.#deaf = true;
  }

  /** Nothing is told any more, not even what has come already. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.read(NOTHING);
  }

  /** Reads what came. It is unmasked in place, and messages share its memory. */
  read(chunk: Buffer): void {
    if (this.#state !== "ready") return;
    const rest = this.#rest;
    rest?.add(chunk, this.#needed);
    if ((rest ?? chunk).length < this.#needed) return;
    const bytes = rest?.bytes ?? chunk;
    this.#state = "busy";
    let at = 0;
    let told = 0;
    try {
      // What is told may pause it.
      while (!this.#paused && at < bytes.length) {
        const used = this.#frame(bytes, at);
        if (this.over) return;
        if (used === 0) break;
        at += used;
        if (at < bytes.length && at - told >= MORE_BYTES) {
          told = at;
          this.#listener.more();
        }
      }
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      this.#end();
      return this.#listener.broken(error);
    }
    this.#keep(bytes, at);
    this.#state = "ready";
  }

  #keep(bytes: Buffer, at: number): void {
    if (at === bytes.length) this.#rest = undefined;
    else if (this.#rest) this.#rest.drop(at);
    else {
      this.#rest = new GrowingBytes();
      this.#rest.add(bytes.subarray(at), this.#needed);
    }
  }

  #end(): void {
    this.#state = "over";
    this.#rest = undefined;
    this.#begun = undefined;
  }

  /** @returns Bytes of the frame that begins there; 0 where more is needed. */
  #frame(bytes: Buffer, at: number): number {
    const there = bytes.length - at;
    this.#needed = 2;
    if (there < 2) return 0;
    const first = bytes[at] ?? 0;
    const second = bytes[at + 1] ?? 0;
    let length = second & 0x7f;
    let header = 6;
    if (length === 126) {
      this.#needed = 4;
      if (there < 4) return 0;
      header = 8;
      length = bytes.readUInt16BE(at + 2);
    } else if (length === 127) {
      this.#needed = 10;
      if (there < 10) return 0;
      header = 14;
      length = bytes.readUInt32BE(at + 2) * 2 ** 32 + bytes.readUInt32BE(at + 6);
    }
    this.#check(first, second, length);
    this.#needed = header + length;
    if (there < this.#needed) return 0;
    this.#needed = 0;
    const start = at + header;
    const end = start + length;
    unmask(bytes, start, end);
    this.#take(first, bytes.subarray(start, end));
    return header + length;
  }

  /** As soon as the header is there, so that nobody waits for a frame that can only be refused. */
  #check(first: number, second: number, length: number): void {
    const opcode = first & OPCODE;
    const begun = this.#begun;
    if ((second & MASKED) === 0) throw violation("A client's frames are masked.");
    if (opcode >= CONTROL) {
      if (opcode > PONG_FRAME) throw violation("There is no such opcode.");
      if ((first & (FIN | RESERVED)) !== FIN || length > MAX_CONTROL)
        throw violation(`A control frame is whole, and has at most ${MAX_CONTROL} bytes.`);
      return;
    }
    if (opcode > BINARY_FRAME) throw violation("There is no such opcode.");
    const allowed = opcode !== CONTINUATION && this.#rules.inflates ? COMPRESSED : 0;
    if ((first & RESERVED & ~allowed) !== 0) throw violation("A reserved bit is set.");
    if ((opcode === CONTINUATION) !== (begun !== undefined))
      throw violation("The frames of a message follow one another.");
    const { messageBytes, fragments } = this.#rules;
    if ((begun?.data.length ?? 0) + length > messageBytes)
      throw new Malformed(CLOSE.tooBig, `A message has at most ${messageBytes} bytes.`);
    if ((begun?.frames ?? 0) >= fragments)
      throw new Malformed(CLOSE.policy, `A message has at most ${fragments} fragments.`);
  }

  #take(first: number, payload: Buffer): void {
    switch (first & OPCODE) {
      case PING_FRAME:
        return this.#listener.ping(payload);
      case PONG_FRAME:
        return this.#listener.pong();
      case CLOSE_FRAME: {
        const code = closeCode(payload);
        this.#end();
        return this.#listener.left(code);
      }
    }
    const isBinary = (first & OPCODE) === BINARY_FRAME;
    const compressed = (first & COMPRESSED) !== 0;
    if (!this.#begun && (first & FIN) !== 0) return this.#message({ isBinary, compressed }, payload, 1);
    const begun = (this.#begun ??= { isBinary, compressed, data: new GrowingBytes(), frames: 0 });
    begun.data.add(payload, this.#rules.messageBytes);
    begun.frames++;
    if ((first & FIN) === 0) return;
    this.#begun = undefined;
    this.#message(begun, begun.data.bytes, begun.frames);
  }

  #message(
    { isBinary, compressed }: Pick<Begun, "isBinary" | "compressed">,
    payload: Buffer,
    frames: number,
  ): void {
    if (this.#deaf) return;
    const data = compressed ? inflateMessage(payload, this.#rules.messageBytes) : payload;
    if (!isBinary && !isUtf8(data)) throw new Malformed(CLOSE.badPayload, "A text frame is UTF-8.");
    const inflated = Math.max(0, data.length - payload.length);
    const extra = Math.floor(inflated / BYTES_PER_COMMAND) + Math.floor(frames / FRAMES_PER_COMMAND);
    this.#listener.message(data, isBinary, extra);
  }
}

function violation(problem: string): Malformed {
  return new Malformed(CLOSE.protocolError, problem);
}

/** In place; the mask stands in the four bytes before (RFC 6455, section 5.3). */
function unmask(bytes: Buffer, start: number, end: number): void {
  for (let index = start; index < end; index++)
    bytes[index] = (bytes[index] ?? 0) ^ (bytes[start - 4 + ((index - start) & 3)] ?? 0);
}

/** RFC 6455, sections 5.5.1 and 7.4. */
function closeCode(payload: Buffer): number | undefined {
  if (payload.length === 0) return undefined;
  const code = payload.length === 1 ? 0 : payload.readUInt16BE(0);
  const known =
    (code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006) ||
    (code >= 3000 && code < 5000);
  if (!known) throw violation("There is no such close code.");
  if (!isUtf8(payload.subarray(2))) throw new Malformed(CLOSE.badPayload, "The reason of a close is UTF-8.");
  return code;
}
