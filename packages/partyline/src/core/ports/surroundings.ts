export interface Timer {
  cancel(): void;
}

/** Time and turns: real in a server, virtual in tests. */
export interface Clock {
  /** Milliseconds by a clock that never goes back; its zero means nothing. */
  now(): number;
  setTimer(fire: () => void, delay: number): Timer;
  /** After the events of this turn of the loop have been handled (`setImmediate`). */
  nextTurn(fire: () => void): void;
}

/** Something that happens after a while, unless it is put off; costs nothing per write. */
export interface Timed {
  /** Called when due; answers in how many ms to be called again, 0 or less for never. */
  expire(now: number): number;
}

/** One coarse timer for all that is cheap to be late by a second: pings, marks, idle streams. */
export interface Wheel {
  readonly now: number;
  /** Puts it on the wheel; it is due within a second after `delay` ms. */
  add(timed: Timed, delay: number): void;
}

/** The time of the event loop, shared among peers: none of them holds up the others by what it asks for. */
export interface Work {
  /** Begins a piece of work; false if this turn has no time left, and the work must wait by {@link later}. */
  begin(): boolean;
  /** Whether the piece that began last has had its time: what is left of the work must wait. */
  readonly over: boolean;
  /** Calls in a later turn, after the work that was put off before. */
  later(go: () => void): void;
}

/** Where things are told that a human should know; `details` are small and hold no message data. */
export interface Logger {
  info(message: string, details?: Readonly<Record<string, unknown>>): void;
  warn(message: string, details?: Readonly<Record<string, unknown>>): void;
  error(message: string, details?: Readonly<Record<string, unknown>>): void;
}

/** Where failures go that are nobody's fault but the server's or the application's. */
export interface FailureLog {
  /** Logs the stack of what was thrown; the same failure once a minute. Never throws. */
  report(what: string, thrown: unknown, details?: Readonly<Record<string, unknown>>): void;
}

/** The counters of what can go wrong, and of what went right beside it. */
export type Counter =
  | "published"
  | "duplicates"
  | "refused"
  | "attached"
  | "gaps"
  | "skips"
  | "lagging"
  | "stale"
  | "slow"
  | "connections"
  | "closed"
  | "arrived"
  | "postponed"
  | "drained"
  | "compressed"
  | "shortened";

/** Counts. `label` splits a counter: the code of a refusal, the reason of a gap, the name of a transport. */
export interface Metrics {
  count(counter: Counter, label?: string, by?: number): void;
}
