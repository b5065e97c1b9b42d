/** Nobody is asked to wait longer before it tries again, seconds. */
const LONGEST = 60;

/** What {@link AttachRate} goes by. */
export interface AttachRateLimits {
  readonly attachesPerSecond: number;
  readonly attachBurst: number;
}

/**
 * Lets so many attaches begin each second, and a burst after a quiet time. Who is refused is told when to come back:
 * each in a line behind those refused before, and the longer the line the wider around its place in it, so that all
 * together come back no faster than the rate. (Told one time, they would come back at once, and be refused again.)
 */
export class AttachRate {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  /** When the tokens were counted, ms. */
  #at: number;
  /** Until when those who were refused take what there will be, ms. */
  #booked: number;

  constructor({ attachesPerSecond, attachBurst }: AttachRateLimits, now: number) {
    this.#perSecond = attachesPerSecond;
    this.#burst = attachBurst;
    this.#tokens = attachBurst;
    this.#at = now;
    this.#booked = now;
  }

  /**
   * Takes room for so many attaches: 0 where there was some, else the seconds until there may be. More than a burst
   * have room where there is all of a burst.
   *
   * @param now Ms.
   */
  take(count: number, now: number, random: () => number): number {
    if (this.#perSecond === Infinity) return 0;
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#at) / 1_000) * this.#perSecond);
    this.#at = now;
    const missing = Math.min(count, this.#burst) - this.#tokens;
    if (missing <= 0) {
      this.#tokens -= count;
      return 0;
    }
    const perMs = this.#perSecond / 1_000;
    const turn = Math.max(this.#booked, now + missing / perMs);
    this.#booked = Math.min(turn + count / perMs, now + LONGEST * 1_000);
    const ahead = Math.min((turn - now) / 1_000, LONGEST);
    // Each comes within [ahead, 2 · ahead]: together that is ln 2 of the rate, which leaves room for newcomers.
    return ahead + random() * Math.max(1, ahead);
  }
}
