import type { Engine, Timed } from "../core/ports.ts";
import { PartylineError } from "../protocol/errors.ts";

/** A body that has not arrived as a whole. */
export interface ArrivingBody {
  /** Called once a second. `slowest` is the least rate, in bytes per second. */
  tick(now: number, slowest: number): void;
}

/** Pieces of a body below this many bytes are small. */
const SMALL_PIECE = 16;

/** Small pieces that one connection may send between two looks, beside the first piece of each body. */
const MOST_SMALL_PIECES = 1_000;

/** Seconds after which a refused sender may try again. */
const RETRY_AFTER = 1;

/** Milliseconds until the next look at the bodies: the next turn of the wheel, which turns once a second. */
const LOOK = 1;

/** The request bodies that are arriving at one server: the memory that they hold together, and their rates. */
export class Bodies implements Timed {
  readonly #engine: Engine;
  readonly #arriving = new Set<ArrivingBody>();
  /** Small pieces by the connection that sent them, since the last look. */
  readonly #small = new Map<object, number>();
  #held = 0;
  #watching = false;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  add(body: ArrivingBody): void {
    this.#arriving.add(body);
    if (this.#watching) return;
    this.#watching = true;
    this.#engine.wheel.add(this, LOOK);
  }

  remove(body: ArrivingBody): void {
    this.#arriving.delete(body);
  }

  /**
   * Counts a piece that is not the first of its body. Each costs Node some microseconds in a loop that nobody else
   * interrupts, and one network read holds 10 000 of one byte.
   *
   * @returns Whether the connection may go on.
   */
  paces(connection: object, piece: Uint8Array): boolean {
    if (piece.length >= SMALL_PIECE) return true;
    const count = (this.#small.get(connection) ?? 0) + 1;
    this.#small.set(connection, count);
    return count <= MOST_SMALL_PIECES;
  }

  /** Reserves memory for senders that are not authenticated. @returns The refusal if the limit is reached. */
  hold(bytes: number): PartylineError | undefined {
    const { unauthenticatedBytes } = this.#engine.limits;
    if (bytes > 0 && this.#held + bytes > unauthenticatedBytes)
      return new PartylineError(
        "overloaded",
        `Senders that are not authenticated hold ${unauthenticatedBytes} bytes already.`,
        { retryAfter: RETRY_AFTER },
      );
    this.#held += bytes;
    return undefined;
  }

  release(bytes: number): void {
    this.#held -= bytes;
  }

  /** Holds a body that has arrived until the promise settles. @returns The body, or the refusal. */
  keep(body: Uint8Array | PartylineError, until: Promise<unknown>): Uint8Array | PartylineError {
    if (body instanceof PartylineError) return body;
    const refusal = this.hold(body.length);
    const release = (): void => this.release(refusal ? 0 : body.length);
    until.then(release, release);
    return refusal ?? body;
  }

  expire(now: number): number {
    const { uploadBytesPerSecond } = this.#engine.limits;
    this.#small.clear();
    for (const body of this.#arriving) body.tick(now, uploadBytesPerSecond);
    this.#watching = this.#arriving.size > 0;
    return this.#watching ? LOOK : 0;
  }
}
