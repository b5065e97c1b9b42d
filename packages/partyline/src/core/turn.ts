import type { Clock, Connection } from "./ports.ts";

type Corkable = Pick<Connection, "cork" | "uncork">;

/** Something with output that waits for the end of the turn. */
export interface Flushable {
  flush(): void;
}

/**
 * Collects what happens in one turn of the event loop, so that each channel is encoded once and each connection
 * written to once, however many messages came. Ends with `Clock.nextTurn` (`setImmediate`): microtasks and
 * `nextTick` come too early for anything to have gathered.
 */
export class Turn {
  readonly #clock: Clock;
  #dirty: Flushable[] = [];
  #behind: Flushable[] = [];
  #corked: Corkable[] = [];
  #armed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `flush` once at the end of the turn; the caller sees to it that it asks once a turn. */
  add(flushable: Flushable): void {
    this.#dirty.push(flushable);
    this.#arm();
  }

  /** As {@link add}, after all that is live: catch-up does not hold up what is new. */
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

  #arm(): void {
    if (this.#armed) return;
    this.#armed = true;
    this.#clock.nextTurn(this.#end);
  }

  readonly #end = (): void => {
    this.#armed = false;
    const dirty = this.#dirty;
    this.#dirty = [];
    const behind = this.#behind;
    this.#behind = [];
    for (const flushable of dirty) flushable.flush();
    for (const flushable of behind) flushable.flush();
    // Last: what the channels wrote to a connection leaves together with its replies.
    const corked = this.#corked;
    this.#corked = [];
    for (const connection of corked) connection.uncork();
  };
}
