import { Duplex } from "node:stream";

type Done = (error?: Error | null) => void;

/** One end of a connection that exists in memory alone, with the manners of a TCP socket. */
class PairEnd extends Duplex {
  readonly #moved: () => void;
  #peer: PairEnd | undefined = undefined;
  /** Of the peer's write that has not been read yet. */
  #taken: Done | undefined = undefined;

  constructor(moved: () => void) {
    super({ allowHalfOpen: true });
    this.#moved = moved;
  }

  join(peer: PairEnd): void {
    this.#peer = peer;
  }

  /** As a socket has it: hosts switch its idle time off. In memory there is none. */
  setTimeout(): this {
    return this;
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#moved();
    const peer = this.#peer;
    if (!peer || peer.destroyed) return done(new Error("The peer is gone (EPIPE)."));
    if (peer.push(bytes)) done();
    else peer.#taken = done;
  }

  override _final(done: Done): void {
    this.#moved();
    const peer = this.#peer;
    if (peer && !peer.destroyed) peer.push(null);
    done();
  }

  override _read(): void {
    const taken = this.#taken;
    if (!taken) return;
    this.#moved();
    this.#taken = undefined;
    taken();
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#moved();
    const peer = this.#peer;
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.(new Error("The peer is gone (EPIPE)."));
    // As a socket that is closed: what was written arrives, and then the end.
    if (peer && !peer.destroyed && !peer.readableEnded && !this.writableFinished) peer.push(null);
    done(error);
  }
}

/**
 * Makes a connection in memory: what is written into one end is read at the other.
 *
 * @param moved Called whenever something happens to it.
 */
export function createStreamPair(moved: () => void = () => undefined): readonly [Duplex, Duplex] {
  const one = new PairEnd(moved);
  const other = new PairEnd(moved);
  one.join(other);
  other.join(one);
  return [one, other];
}
