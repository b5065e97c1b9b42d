import { ServerResponse } from "node:http";
import type { Writable } from "node:stream";
import type { Connection, Outgoing, WireFormat } from "../core/ports.ts";
import { type PartylineError, toProblem } from "../protocol/errors.ts";
import { formatSse, SSE_COMMENT } from "../protocol/sse.ts";
import type { Compression } from "./compression.ts";
import type { GzipPiece } from "./gzip-piece.ts";
import { GzipStream } from "./gzip-stream.ts";
import type { Kept, Parting } from "./registry.ts";
import type { Seat } from "./seat.ts";
import { LAST_CHUNK, type StreamBytes, streamBytes, textChunk } from "./stream-bytes.ts";
import type { Surroundings } from "./surroundings.ts";

/** What a stream is told of its own end and of room in its socket: a `Reader`, or a `Conversation`. */
export interface Delivery {
  drained(): void;
  closed(): void;
}

/** How long a peer is given to take the end of its stream, seconds. */
const FAREWELL = 5;

/** Whose stream this socket or response is: shared listeners find it by `this`. */
const STREAM: unique symbol = Symbol("partyline.stream");

type Out = Writable & { [STREAM]?: StreamConnection };

/**
 * `waiting`: answered by nobody yet. `open`: takes writes. `full`: takes none before it drains. `ending`: the last was
 * written. `ended`: gone.
 */
type State = "waiting" | "open" | "full" | "ending" | "ended";

/** An event stream over whatever takes bytes: a TCP socket, a `ServerResponse`, the writable end of a web stream. */
export abstract class StreamConnection implements Connection, Kept {
  protected readonly surroundings: Surroundings;
  protected abstract readonly delivery: Delivery;
  readonly #seat: Seat;
  index = -1;
  #out: Out | undefined;
  /** Absent: nothing is compressed. */
  #gzip: GzipStream | undefined;
  /** Whether what is written is framed here as chunks of HTTP/1.1. */
  #chunked = false;
  #state: State = "waiting";
  #fresh = true;
  /** Second of the last look that found something written; in `full` and `ending`: since when. */
  #since = 0;

  constructor(surroundings: Surroundings, seat: Seat) {
    this.surroundings = surroundings;
    this.#seat = seat;
  }

  /** Seconds without a byte until a comment is written. */
  protected get commentAfter(): number {
    return this.surroundings.heartbeat.comment;
  }

  abstract write(outgoing: Outgoing): boolean;

  // --- from the host ------------------------------------------------------------------------------------------

  /**
   * The head was written: what follows goes to `out`.
   *
   * @param gzip Formats, where the head says `Content-Encoding: gzip`.
   * @param chunked Whether the head says `Transfer-Encoding: chunked`, and `out` is the bare socket.
   */
  begin(out: Writable, gzip: Compression["stream"] | undefined, chunked: boolean = false): void {
    if (this.#state === "ended") return void out.destroy();
    const { registry } = this.surroundings;
    this.#out = out;
    if (gzip) this.#gzip = new GzipStream(gzip);
    this.#chunked = chunked;
    this.#out[STREAM] = this;
    out.on("close", outOnClose).on("error", ignore);
    if (this.#state === "waiting") this.#state = "open";
    this.#since = registry.second;
    registry.add(this);
    this.surroundings.engine.metrics.count("connections", "sse");
    this.opened();
    if (this.#state === "ending" && !out.writableEnded) this.#finish(out);
  }

  /** Called once, when there is somewhere to write to. */
  protected abstract opened(): void;

  /** The peer has gone before there was an answer, or the host will give none. */
  abandon(): void {
    this.gone();
  }

  // --- from core ----------------------------------------------------------------------------------------------

  cork(): void {
    this.#out?.cork();
  }

  uncork(): void {
    this.#out?.uncork();
    if (this.#state === "full" && this.#out && forgetsDrain(this.#out)) this.drained();
  }

  abstract readonly breaks: boolean;
  abstract leave(parting: Parting): void;

  close(reason: PartylineError): void {
    this.end(this.farewell(reason));
  }

  /** Ends the stream behind these last words. */
  protected end(words: string): void {
    if (this.#state === "ending" || this.#state === "ended") return;
    this.send(words);
    this.#state = "ending";
    this.#since = this.surroundings.registry.second;
    if (this.#out) this.#finish(this.#out);
  }

  #finish(out: Writable): void {
    if (this.#gzip) out.write(this.#framed(this.#gzip.end()));
    if (this.#chunked) out.end(LAST_CHUNK);
    else out.end();
  }

  /** What tells the peer why. */
  protected farewell(reason: PartylineError): string {
    return formatSse({ event: "error", data: JSON.stringify(toProblem(reason)) });
  }

  // --- writing ------------------------------------------------------------------------------------------------

  /** The formats of what is shared, where this stream is compressed. */
  protected get packed(): Compression["stream"] | undefined {
    return this.#gzip?.formats;
  }

  /** Writes what is for this peer alone, and behind it what is shared; false where it takes no more for now. */
  protected send(text: string, shared?: StreamBytes | GzipPiece): boolean {
    if (!this.#takes) return true;
    const gzip = this.#gzip;
    if (!gzip) {
      const own = this.#chunked ? textChunk(text) : text;
      if (!shared || "crc" in shared) return this.#write(own);
      return this.#writeBoth(own, this.#chunked ? shared.chunk : shared.plain);
    }
    const own = gzip.own(text);
    if (shared === undefined) return this.#write(this.#framed(own));
    const bytes = "crc" in shared ? gzip.shared(shared) : gzip.own(shared.plain);
    return this.#write(this.#framed(Buffer.concat([own, bytes])));
  }

  /** Writes what all streams of this kind share. */
  protected share(outgoing: Outgoing, format: WireFormat<StreamBytes>, packed: "raw" | "connect"): boolean {
    if (!this.#takes) return true;
    const gzip = this.#gzip;
    if (!gzip) {
      const { plain, chunk } = outgoing.encoded(format);
      return this.#write(this.#chunked ? chunk : plain);
    }
    const piece = outgoing.encoded(gzip.formats[packed]);
    const { begun } = gzip;
    const bytes = gzip.shared(piece);
    return this.#write(begun && this.#chunked ? piece.chunk : this.#framed(bytes));
  }

  /** What is for this peer alone, as its connection needs it. */
  #framed(bytes: Buffer): Buffer {
    return this.#chunked ? streamBytes(bytes).chunk : bytes;
  }

  /** Is anything written at all? What is not must leave no trace in a compressed stream. */
  get #takes(): boolean {
    return this.#state === "open" || this.#state === "full";
  }

  #write(bytes: Uint8Array | string): boolean {
    const out = this.#out;
    if (!out) return true;
    this.#fresh = true;
    if (out.write(bytes)) return true;
    if (this.#state === "open") {
      this.#state = "full";
      this.#since = this.surroundings.registry.second;
      out.on("drain", outOnDrain);
    }
    return false;
  }

  /** In one write, without copying what is shared. */
  #writeBoth(own: string, shared: Uint8Array): boolean {
    const out = this.#out;
    if (!out) return true;
    out.cork();
    this.#write(own);
    const room = this.#write(shared);
    out.uncork();
    if (room || out.writableCorked > 0 || !forgetsDrain(out)) return room;
    this.#hasRoom();
    return true;
  }

  drained(): void {
    if (this.#hasRoom()) this.delivery.drained();
  }

  /** It was full, and is no longer: answers whether that is news. */
  #hasRoom(): boolean {
    this.#out?.removeListener("drain", outOnDrain);
    if (this.#state !== "full") return false;
    this.#state = "open";
    this.#since = this.surroundings.registry.second;
    return true;
  }

  // --- the end ------------------------------------------------------------------------------------------------

  tick(second: number): void {
    const quiet = second - this.#since;
    switch (this.#state) {
      case "open":
        if (!this.#fresh) {
          if (quiet < this.commentAfter) return;
          this.send(SSE_COMMENT);
        }
        this.#since = second;
        this.#fresh = false;
        return;
      case "full": {
        // It does not read, so there is no telling it why.
        if (quiet * 1_000 < this.surroundings.engine.limits.slowReader) return;
        this.surroundings.engine.metrics.count("slow");
        return this.destroy();
      }
      case "ending":
        if (quiet >= FAREWELL) this.destroy();
        return;
      case "waiting":
      case "ended":
        return;
    }
  }

  /** The server failed while it wrote: there is no telling what is missing. */
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
    if (this.#state === "ended") return;
    this.#state = "ended";
    const began = this.#out !== undefined;
    this.#out = undefined;
    this.surroundings.registry.remove(this);
    this.#seat.leave();
    this.delivery.closed();
    if (began) this.surroundings.engine.metrics.count("closed", "sse");
  }
}

/**
 * A response that was full while it was corked: on Node 22 it says nothing of its drain where its socket, to which all
 * that was corked went afterwards, took it without being full itself.
 */
function forgetsDrain(out: Out): boolean {
  return out instanceof ServerResponse && out.socket !== null && !out.socket.writableNeedDrain;
}

// Shared by all streams: a listener of its own would cost each of them a closure.

function outOnClose(this: Out): void {
  this[STREAM]?.gone();
}

function outOnDrain(this: Out): void {
  const stream = this[STREAM];
  try {
    stream?.drained();
  } catch (error) {
    // What a listener of a socket throws would end the process, and not the stream.
    stream?.failed(error);
  }
}

function ignore(): void {
  // `close` follows, and is all that matters.
}
