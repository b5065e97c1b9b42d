import { Duplex } from "node:stream";

type Done = (error?: Error | null) => void;

/** One end of a connection that exists in memory alone, with the manners of a TCP socket. */
class PairEnd extends Duplex {
  #peer: PairEnd | undefined = undefined;
  /** Of the peer's write that has not been read yet. */
  #taken: Done | undefined = undefined;

  constructor() {
    super({ allowHalfOpen: true });
  }

  join(peer: PairEnd): void {
    this.#peer = peer;
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: Done): void {
    const peer = this.#peer;
    if (!peer || peer.destroyed) return done(new Error("The peer is gone (EPIPE)."));
    if (peer.push(bytes)) done();
    else peer.#taken = done;
  }

  override _final(done: Done): void {
    const peer = this.#peer;
    if (peer && !peer.destroyed) peer.push(null);
    done();
  }

  override _read(): void {
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.();
  }

  override _destroy(error: Error | null, done: Done): void {
    const peer = this.#peer;
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.(new Error("The peer is gone (EPIPE)."));
    // As a socket that is closed: what was written arrives, and then the end.
    if (peer && !peer.destroyed && !peer.readableEnded && !this.writableFinished) peer.push(null);
    done(error);
  }
}

/** Makes a connection in memory: what is written into one end is read at the other. */
export function createStreamPair(): readonly [Duplex, Duplex] {
  const one = new PairEnd();
  const other = new PairEnd();
  one.join(other);
  other.join(one);
  return [one, other];
}
