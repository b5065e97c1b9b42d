import type { Clock, Connection } from "./ports.ts";

type Corkable = Pick<Connection, "cork" | "uncork">;

/** Something with output that waits for the end of the turn. */
export interface Flushable {
  flush(): void;
}

/** A channel with messages that wait for the end of the turn. */
export interface Batching {
  /** Answers how many messages there were. */
  flush(): number;
}

/** Ms of rest after a flush for each message that one channel had in it beside the first; never longer than it took. */
const REST = 0.25;
/** Shortest and longest such rest, ms: timers know no less, and nobody is to wait for more. */
const MIN_REST = 1;
const MAX_REST = 10;

/**
 * Collects what happens in one turn of the event loop, so that each channel is encoded once and each connection
 * written to once, however many messages came. Ends with `Clock.nextTurn` (`setImmediate`): microtasks and
 * `nextTick` come too early for anything to have gathered.
 *
 * Under load what channels have is held for a little longer. A write costs what it costs however much is in it, so that
 * only fewer of them help who can't keep up: after a flush that took long and had much of one channel, the loop first
 * reads what has come meanwhile. (1 000 readers, 5 000 messages a second: 1.6 times the deliveries.) The less there is to
 * join, the shorter. (1 000 messages a second are some 15 to a flush: a delivery costs 0.87 µs and p99 is 1.25 times
 * Bun's; with rests as long as the flush 0.69 µs, and 1.45 times.) Messages that come one by one are never held because
 * of this, nor are replies and catch-up.
 */
export class Turn {
  readonly #clock: Clock;
  #dirty: Batching[] = [];
  #behind: Flushable[] = [];
  #corked: Corkable[] = [];
  #after: (() => void)[] = [];
  #armed = false;
  #resting = false;
  /** Until then what channels have is held. */
  #rest = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `flush` once at the end of the turn or a little later; the caller sees to it that it asks once. */
  add(channel: Batching): void {
    this.#dirty.push(channel);
    this.#arm();
  }

  /** Calls `flush` at the end of the turn, after all that is live: catch-up does not hold up what is new. */
  addBehind(flushable: Flushable): void {
    this.#behind.push(flushable);
    this.#arm();
  }

  /** Corks the connection until the end of the turn; the caller sees to it that it asks once a turn. */
  cork(connection: Corkable): void {
    connection.cork();
    this.#corked.push(connection);
    this.#arm();
  }

  /** Calls at the end of the turn, when all that came in it has been written; nothing is held then. */
  after(fire: () => void): void {
    this.#after.push(fire);
    this.#arm();
  }

  readonly #arm = (): void => {
    if (this.#armed) return;
    this.#armed = true;
    this.#clock.nextTurn(this.#end);
  };

  readonly #end = (): void => {
    this.#armed = false;
    this.#flushLive();
    const behind = this.#behind;
    this.#behind = [];
    for (const flushable of behind) flushable.flush();
    // Last: what the channels wrote to a connection leaves together with its replies.
    const corked = this.#corked;
    this.#corked = [];
    for (const connection of corked) connection.uncork();
    const after = this.#after;
    this.#after = [];
    for (const fire of after) fire();
  };

  #flushLive(): void {
    const dirty = this.#dirty;
    if (dirty.length === 0) return;
    const begin = this.#clock.now();
    if (begin < this.#rest && this.#after.length === 0) return this.#hold(this.#rest - begin);
    this.#dirty = [];
    let most = 1;
    for (const channel of dirty) most = Math.max(most, channel.flush());
    const end = this.#clock.now();
    const rest = Math.min(end - begin, (most - 1) * REST);
    if (rest >= MIN_REST) this.#rest = end + Math.min(rest, MAX_REST);
  }

  #hold(delay: number): void {
    if (this.#resting) return;
    this.#resting = true;
    this.#clock.setTimer(() => {
      this.#resting = false;
      // Not at once: what has come meanwhile is read first.
      this.#arm();
    }, delay);
  }
}
