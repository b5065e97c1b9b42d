/** When each message is due: evenly, whatever became of those before it. */
export class Schedule {
  readonly #began: number;
  readonly #rate: number;
  readonly #total: number;
  #taken = 0;

  /**
   * @param began ms
   * @param rate messages a second
   * @param seconds how long
   */
  constructor(began: number, rate: number, seconds: number) {
    this.#began = began;
    this.#rate = rate;
    this.#total = Math.max(1, Math.round(rate * seconds));
  }

  get taken(): number {
    return this.#taken;
  }

  get end(): number {
    return this.#began + (this.#total * 1_000) / this.#rate;
  }

  /** When the next message is due, ms; undefined where none is yet, or is any more. */
  due(now: number): number | undefined {
    // What could not be sent in the time of the schedule is not made up for: the run has an end.
    if (this.#taken >= this.#total || now >= this.end) return undefined;
    const at = this.#began + (this.#taken * 1_000) / this.#rate;
    return at <= now ? at : undefined;
  }

  take(): void {
    this.#taken += 1;
  }
}
