import type { Clock, Metrics } from "../core/ports.ts";
import type { Poll } from "../transports/connect-poll.ts";
import type { Guest, Parting, Registry } from "../transports/registry.ts";

/** How a server is left. */
export interface DrainPlan {
  /** Ms until whoever is still there is closed. */
  readonly within: number;
  /** So many are asked to leave each second; more where the time would not do for all. */
  readonly rate: number;
}

/** The share of the time within which all are asked: the last one too needs some to leave. */
const ASKING = 0.8;
/** Between two looks, ms. */
const TICK = 20;
/** Between two rounds for those who came late, ms. */
const ROUND = 1_000;
/** After the answer to a poll its client may be on its way with the next one, ms. */
const BETWEEN_POLLS = 1_000;

/** How many of so many have been asked to leave, so long after the beginning (ms). */
export function askedBy(elapsed: number, count: number, { within, rate }: DrainPlan): number {
  const perMs = Math.max(rate / 1_000, count / (within * ASKING));
  return Math.min(count, Math.floor(elapsed * perMs) + 1);
}

/** When one who is sent away may come back, ms: elsewhere by then, where load balancers have noticed. */
export function comeBack(random: () => number): number {
  return Math.round(1_000 + random() * 2_000);
}

/** What a {@link Drain} looks at. */
export interface DrainWorld {
  readonly registry: Registry;
  readonly polls: ReadonlySet<Guest>;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** How one is asked that is asked now. */
  parting(): Parting;
}

/** Asks everybody to leave, each at a moment of its own, and waits until they have. */
export class Drain {
  readonly #world: DrainWorld;
  readonly #plan: DrainPlan;
  readonly #begun: number;
  readonly #asked = new WeakSet<Guest>();
  #count = 0;
  /** Those who are to be asked, the next one last. */
  readonly #queue: Guest[];
  readonly #total: number;
  /** When everybody is looked through again, ms after the beginning. */
  #nextRound = 0;
  #polledAt = -Infinity;

  constructor(world: DrainWorld, plan: DrainPlan) {
    this.#world = world;
    this.#plan = plan;
    this.#begun = world.clock.now();
    this.#queue = this.#unasked();
    this.#total = this.#queue.length;
  }

  get until(): number {
    return this.#begun + this.#plan.within;
  }

  /** Resolves when nobody is left, or the time is up, or it is `stopped`. */
  run(stopped: () => boolean): Promise<void> {
    const { clock } = this.#world;
    return new Promise((resolve) => {
      const look = (): void => {
        const now = clock.now();
        if (stopped() || now >= this.until || this.#isLeft(now)) return resolve();
        this.#askDue(now - this.#begun);
        clock.setTimer(look, TICK);
      };
      look();
    });
  }

  /** Its moment is now, if it has not been. */
  ask(guest: Guest): void {
    if (this.#asked.has(guest)) return;
    this.#asked.add(guest);
    this.#world.metrics.count("drained", guest.breaks ? "sent" : "asked");
    guest.leave(this.#world.parting());
  }

  /** A poll goes on here: its client has found no other server yet. */
  remind(poll: Poll): void {
    this.#asked.add(poll);
    poll.remind(this.#world.parting());
  }

  /** A poll was answered. */
  polled(): void {
    this.#polledAt = this.#world.clock.now();
  }

  #askDue(elapsed: number): void {
    const due = askedBy(elapsed, this.#total, this.#plan);
    while (this.#count < due) {
      const guest = this.#queue.pop();
      if (!guest) break;
      this.#count++;
      this.ask(guest);
    }
    if (this.#queue.length > 0 || elapsed < this.#nextRound) return;
    // Whoever was on the way in when it began has come by now.
    this.#nextRound = elapsed + ROUND;
    for (const guest of this.#unasked()) this.ask(guest);
  }

  #isLeft(now: number): boolean {
    const { registry, polls } = this.#world;
    return registry.size === 0 && polls.size === 0 && now - this.#polledAt >= BETWEEN_POLLS;
  }

  /** Roughly the oldest first, but behind all who leave without a break those who do not: load balancers know by then. */
  #unasked(): Guest[] {
    const { registry, polls } = this.#world;
    const all = [...polls, ...registry.connections()].filter((guest) => !this.#asked.has(guest));
    return [...all.filter(({ breaks }) => !breaks), ...all.filter(({ breaks }) => breaks)].reverse();
  }
}
