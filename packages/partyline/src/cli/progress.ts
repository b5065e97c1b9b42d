import { formatCount, formatDuration, formatPace } from "./text.ts";

/** Where progress is written, and when it is. */
export interface ProgressOutput {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Tells how far a long task is; see {@link createProgress}. */
export interface Progress {
  /** So many are done. `note` says where that is. */
  update(done: number, note?: string): void;
  /** Removes the line, so that what is written next stands alone. */
  clear(): void;
  /** Ms since the beginning. */
  elapsed(): number;
}

/** Between two lines, ms: one that is written over, and one that stays in a log. */
const EVERY = { terminal: 100, log: 5000 };
/** Nothing is said of a task that is over before, ms. */
const QUIET = 500;

/**
 * Progress with count and pace: on a terminal one line that is written over, elsewhere a line every five seconds.
 *
 * @param now Milliseconds by any clock.
 */
export function createProgress(output: ProgressOutput, now: () => number, total?: number): Progress {
  const start = now();
  const every = output.isTTY === true ? EVERY.terminal : EVERY.log;
  let next = start + (output.isTTY === true ? QUIET : every);
  let shown = false;

  return {
    update(done, note = "") {
      const time = now();
      if (time < next) return;
      next = time + every;
      const elapsed = time - start;
      const pace = formatPace((done * 1000) / Math.max(1, elapsed));
      const share = total === undefined ? "" : `/${formatCount(total)}  ${Math.floor((100 * done) / total)}%`;
      const line = [`${formatCount(done)}${share}`, pace, formatDuration(elapsed), note]
        .filter(Boolean)
        .join("  ");
      if (output.isTTY !== true) {
        output.write(`${line}\n`);
        return;
      }
      // A line as wide as the terminal would begin a new one, and could not be written over.
      output.write(`\r\u001b[K${line.slice(0, Math.max(1, (output.columns ?? 80) - 1))}`);
      shown = true;
    },
    clear() {
      if (shown) output.write("\r\u001b[K");
      shown = false;
    },
    elapsed: () => now() - start,
  };
}
