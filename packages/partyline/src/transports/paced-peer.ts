import type { Surroundings } from "./surroundings.ts";

/** Reasons to read no further for now, as bits; the peer is read when none of them holds. */
export const HOLD = {
  /** A command is being decided, or a message being stored. */
  deciding: 1,
  /** The peer does not take its replies. */
  replies: 2,
  /** The peer sent more commands than its rate allows. */
  rate: 4,
  /** Other peers have their turn. */
  turn: 8,
} as const;

type Hold = (typeof HOLD)[keyof typeof HOLD];

/**
 * A peer that is read no faster than its commands are paid for, and no longer at a time than a piece of work lasts. A
 * base class and not a part, because an idle connection is to cost little.
 */
export abstract class PacedPeer {
  protected readonly surroundings: Surroundings;
  /** Bits of {@link HOLD}. */
  #holds = 0;
  /** Commands that the peer may send at once, as of `#refilled` (whole ms); below 0 it is not read. */
  #tokens: number;
  #refilled: number;

  constructor(surroundings: Surroundings) {
    this.surroundings = surroundings;
    const { limits, clock } = surroundings.engine;
    this.#tokens = limits.commandBurst;
    this.#refilled = Math.floor(clock.now());
  }

  /** Reads no further. */
  protected abstract pause(): void;
  /** Reads on, unless the peer is held again meanwhile. */
  protected abstract readOn(): void;

  /** Whether the peer is not read for now. */
  protected get held(): boolean {
    return this.#holds !== 0;
  }

  /** Reads no further until {@link release}, for the same reason. */
  protected hold(why: Hold): void {
    const wasRead = this.#holds === 0;
    this.#holds |= why;
    if (wasRead) this.pause();
  }

  /** Reads on, unless there is another reason not to. */
  protected release(why: number): void {
    if ((this.#holds & why) === 0) return;
    this.#holds &= ~why;
    if (this.#holds === 0) this.readOn();
  }

  /** Lets other peers go first: the rest is read in a later turn. */
  protected yield(): void {
    if ((this.#holds & HOLD.turn) !== 0) return;
    this.hold(HOLD.turn);
    const { work } = this.surroundings.engine;
    work.later(() => {
      work.begin();
      this.release(HOLD.turn);
    });
  }

  /** Over the rate nothing is refused: the peer is read no further until it has paid for what it sent. */
  protected charge(commands: number): void {
    if (this.#tokens < commands) this.#refill();
    this.#tokens -= commands;
    if (this.#tokens >= 0 || (this.#holds & HOLD.rate) !== 0) return;
    this.hold(HOLD.rate);
    this.#payLater();
  }

  #refill(): void {
    const { clock, limits } = this.surroundings.engine;
    const now = Math.floor(clock.now());
    if (now <= this.#refilled) return;
    const earned = ((now - this.#refilled) * limits.commandsPerSecond) / 1_000;
    this.#tokens = Math.min(limits.commandBurst, this.#tokens + earned);
    this.#refilled = now;
  }

  #payLater(): void {
    const { clock, limits } = this.surroundings.engine;
    const pay = (): void => {
      this.#refill();
      if (this.#tokens < 0) this.#payLater();
      else this.release(HOLD.rate);
    };
    clock.setTimer(pay, Math.ceil((-this.#tokens * 1_000) / limits.commandsPerSecond));
  }
}
