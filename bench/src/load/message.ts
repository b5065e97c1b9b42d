/**
 * A message of the benchmarks: a mark, the time it was due in 15 digits of microseconds, and filling. Nothing else that
 * a server sends holds the mark.
 */
export const MARK = 0x23;
const DIGITS = 15;

/** @param due ms, by the clock of {@link monotonic} */
export function message(due: number, size: number): string {
  return `#${String(Math.round(due * 1_000)).padStart(DIGITS, "0")}`.padEnd(size, "x");
}

/** The time in the message whose mark is here, ms; undefined where the chunk ends within it. */
export function timeAt(chunk: Uint8Array, mark: number): number | undefined {
  if (mark + DIGITS >= chunk.length) return undefined;
  let time = 0;
  for (let at = mark + 1; at <= mark + DIGITS; at++) time = time * 10 + ((chunk[at] ?? 0) - 0x30);
  return time / 1_000;
}
