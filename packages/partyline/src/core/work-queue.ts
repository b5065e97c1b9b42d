import type { Clock, FailureLog, Work } from "./ports.ts";

/** Longest piece of one peer's work, ms: a full network read of commands mostly takes less. */
const PIECE_MS = 5;
/** Time for all pieces of one turn that begin as they arrive, and the same for those that waited, ms. */
const TURN_MS = 10;

/**
 * Shares the time of the event loop among peers. Work that arrives is done at once while the turn has time. A peer
 * that asks for more than a piece waits in line, and the turn ends early enough for all other events.
 *
 * Time is measured, not counted in lines or bytes: nobody can know beforehand what a line costs.
 */
export class WorkQueue implements Work {
  readonly #clock: Clock;
  readonly #failures: FailureLog;
  #waiting: (() => void)[] = [];
  /** Time at which the present piece has had its share. */
  #pieceEnd = 0;
  /** Time at which the turn has had its share; `undefined` before the first piece of a turn. */
  #turnEnd: number | undefined;
  #armed = false;

  constructor(clock: Clock, failures: FailureLog) {
    this.#clock = clock;
    this.#failures = failures;
  }

  begin(): boolean {
    const now = this.#clock.now();
    this.#turnEnd ??= now + TURN_MS;
    this.#arm();
    this.#pieceEnd = Math.min(now + PIECE_MS, this.#turnEnd);
    return now < this.#turnEnd;
  }

  get over(): boolean {
    return this.#clock.now() >= this.#pieceEnd;
  }

  later(go: () => void): void {
    this.#waiting.push(go);
    this.#arm();
  }

  #arm(): void {
    if (this.#armed) return;
    this.#armed = true;
    this.#clock.nextTurn(this.#turned);
  }

  #run(go: (() => void) | undefined): void {
    try {
      go?.();
    } catch (error) {
      this.#failures.report("work that was put off failed", error);
    }
  }

  readonly #turned = (): void => {
    this.#armed = false;
    const due = this.#waiting;
    if (due.length > 0) {
      this.#waiting = [];
      const end = this.#clock.now() + TURN_MS;
      this.#turnEnd = end;
      let done = 0;
      // One at least, however slow the machine is.
      do this.#run(due[done++]);
      while (done < due.length && this.#clock.now() < end);
      // Pieces that were not begun keep their place before pieces that have come back.
      this.#waiting = [...due.slice(done), ...this.#waiting];
      if (this.#waiting.length > 0) this.#arm();
    }
    // The time of work that arrives is its own: who waits in line does not hold up who asks for little.
    this.#turnEnd = undefined;
  };
}
