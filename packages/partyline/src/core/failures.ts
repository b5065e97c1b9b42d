import type { Clock, FailureLog, Logger } from "./ports.ts";

/** Time within which the same failure is logged once, in milliseconds. */
const REPEAT_MS = 60_000;

/** Different failures that are logged within that time. */
const MOST = 100;

/** Logs failures with their stacks; a failure that repeats is counted, because each request may bring it about. */
export class Failures implements FailureLog {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #seen = new Map<string, { readonly since: number; repeated: number }>();

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger;
    this.#clock = clock;
  }

  report(what: string, thrown: unknown, details: Readonly<Record<string, unknown>> = {}): void {
    const error = text(thrown);
    const key = `${what}: ${error}`;
    const now = this.#clock.now();
    const seen = this.#seen.get(key);
    if (seen && now - seen.since < REPEAT_MS) {
      seen.repeated++;
      return;
    }
    if (!seen && !this.#hasRoom(now)) return;
    this.#seen.set(key, { since: now, repeated: 0 });
    const repeated = seen && seen.repeated > 0 ? { repeated: seen.repeated } : {};
    this.#logger.error(what, { ...details, error, ...repeated, stack: stackOf(thrown) });
  }

  #hasRoom(now: number): boolean {
    if (this.#seen.size < MOST) return true;
    for (const [key, { since }] of this.#seen) if (now - since >= REPEAT_MS) this.#seen.delete(key);
    return this.#seen.size < MOST;
  }
}

/** What `String` says, also of values that it throws for: an object without a prototype, a hostile `toString`. */
function text(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    return Object.prototype.toString.call(thrown);
  }
}

function stackOf(thrown: unknown, depth = 0): string {
  if (!(thrown instanceof Error)) return text(thrown);
  const { stack = text(thrown), cause } = thrown;
  return cause === undefined || depth > 3 ? stack : `${stack}\ncaused by: ${stackOf(cause, depth + 1)}`;
}

/** A logger that never throws: its own failure must not become that of a request. */
export function createSafeLogger(logger: Logger): Logger {
  const safe =
    (level: keyof Logger): Logger["error"] =>
    (message, details) => {
      try {
        const answer: unknown = logger[level](message, details);
        if (answer instanceof Promise) answer.catch(ignore);
      } catch {
        // There is no other place to say it.
      }
    };
  return { info: safe("info"), warn: safe("warn"), error: safe("error") };
}

function ignore(): void {}
