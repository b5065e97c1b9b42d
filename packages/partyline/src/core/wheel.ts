import type { Clock, FailureLog, Timed, Timer, Wheel } from "./ports.ts";

const TICK = 1_000;

/** The one coarse timer of a server; it runs only while something is on it. */
export class TimerWheel implements Wheel {
  readonly #clock: Clock;
  readonly #failures: FailureLog;
  /** What is due, by tick. */
  readonly #slots = new Map<number, Timed[]>();
  #tick: number;
  #timer: Timer | undefined;
  #closed = false;

  constructor(clock: Clock, failures: FailureLog) {
    this.#clock = clock;
    this.#failures = failures;
    this.#tick = this.#current();
  }

  get now(): number {
    return this.#clock.now();
  }

  add(timed: Timed, delay: number): void {
    if (this.#closed) return;
    // An empty wheel stood still: there is nothing to make up for.
    if (this.#slots.size === 0) this.#tick = this.#current();
    const due = Math.max(this.#tick + 1, Math.ceil((this.now + delay) / TICK));
    const slot = this.#slots.get(due);
    if (slot) slot.push(timed);
    else this.#slots.set(due, [timed]);
    this.#timer ??= this.#clock.setTimer(this.#turn, TICK);
  }

  /** Ends the timer and forgets what is on the wheel. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#slots.clear();
  }

  readonly #turn = (): void => {
    this.#timer = undefined;
    // A process that was stopped for a while has several ticks to make up for.
    for (const until = this.#current(); this.#tick < until;) {
      const due = ++this.#tick;
      const slot = this.#slots.get(due);
      this.#slots.delete(due);
      for (const timed of slot ?? []) {
        try {
          const again = timed.expire(this.now);
          if (again > 0) this.add(timed, again);
        } catch (error) {
          // Else it would end the process, or at least the time of all others.
          this.#failures.report("a timer failed", error);
        }
      }
    }
    if (this.#slots.size > 0) this.#timer ??= this.#clock.setTimer(this.#turn, TICK);
  };

  #current(): number {
    return Math.floor(this.#clock.now() / TICK);
  }
}
