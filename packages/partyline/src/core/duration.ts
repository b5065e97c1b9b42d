import type { Check } from "../protocol/options.ts";

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A time span: milliseconds, or a number with a unit: `"500ms"`, `"30s"`, `"10m"`, `"1h"`, `"7d"`. */
export type Duration = number | `${number}${keyof typeof UNITS}`;

/** The check of an option that is a {@link Duration}. */
export const isDuration: Check = (value) => {
  try {
    milliseconds(value as Duration);
    return undefined;
  } catch {
    return 'a time in milliseconds, or like "30s", "10m", "7d"';
  }
};

/**
 * The milliseconds of a {@link Duration}.
 *
 * @throws TypeError where it is not one, or negative.
 */
export function milliseconds(duration: Duration): number {
  const match = typeof duration === "number" ? undefined : /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(duration);
  const value =
    typeof duration === "number"
      ? duration
      : Number(match?.[1]) * UNITS[(match?.[2] ?? "ms") as keyof typeof UNITS];
  if (!(value >= 0))
    throw new TypeError(`Not a duration: ${JSON.stringify(duration)}. Use ms, or "30s", "10m", "7d".`);
  return value;
}
