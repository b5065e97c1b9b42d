/** Time as replaying needs it. */
export interface PaceClock {
  /** Milliseconds, never going back. */
  now(): number;
  sleep(milliseconds: number): Promise<void>;
}

/** A row and its time, ms. */
export interface Timed<T> {
  readonly time: number;
  readonly row: T;
}

/** Rows in order of time; those of the same time stay in the order of the file. */
export function inOrderOfTime<T>(rows: readonly T[], times: readonly number[]): Timed<T>[] {
  return rows.map((row, index) => ({ time: times[index] ?? 0, row })).sort((a, b) => a.time - b.time);
}

/**
 * Gives each row when its time has come, `speed` times as fast as it was recorded. Whoever takes too long gets the
 * rest as fast as he takes it until he has caught up: the pace is that of the whole and not of each step.
 */
export async function* atPace<T>(
  rows: readonly Timed<T>[],
  speed: number,
  clock: PaceClock,
): AsyncGenerator<Timed<T>, void> {
  const begin = clock.now();
  const first = rows[0]?.time ?? 0;
  for (const row of rows) {
    const wait = begin + (row.time - first) / speed - clock.now();
    // A timer has the grain of a millisecond.
    if (wait >= 1) await clock.sleep(wait);
    yield row;
  }
}
