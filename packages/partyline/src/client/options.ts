/** A number for each option that is one: its default. `undefined` for each other option. */
export type OptionDefaults<Options> = {
  readonly [Name in keyof Options]-?: NonNullable<Options[Name]> extends number ? number : undefined;
};

/** Options of which each may be left out or `undefined`. */
export type Optional<Options> = { readonly [Name in keyof Options]?: Options[Name] | undefined };

/** Options that were given: none is `null`. */
export type Given<Options> = { readonly [Name in keyof Options]: Exclude<Options[Name], null> };

/** Returns the names and values of the options that are given: `undefined` and `null` mean that one is not. */
export function givenOptions<Value>(
  options: Readonly<Record<string, Value>> | null | undefined,
): [string, Exclude<Value, null | undefined>][] {
  return Object.entries(options ?? {}).filter(
    (entry): entry is [string, Exclude<Value, null | undefined>] =>
      entry[1] !== undefined && entry[1] !== null,
  );
}

/**
 * Checks and completes options.
 *
 * @param defaults Also the names of the options; without it, any name is taken.
 *
 * @throws TypeError for a number that is negative or NaN, for something else in its place, and for an unknown option.
 */
export function readOptions<Options extends object, Settings = Given<Options>>(
  options: Options | null | undefined,
  defaults?: OptionDefaults<Options>,
): Settings {
  const settings: Record<string, unknown> = { ...defaults };
  for (const [name, value] of givenOptions(options as Record<string, unknown>)) {
    const isKnown = !defaults || name in defaults;
    const isNumber = typeof (settings[name] ?? value) === "number";
    if (!isKnown || (isNumber && !(typeof value === "number" && value >= 0)))
      throw new TypeError(
        `Option ${name}: ${String(value)} is not ${isKnown ? "a number from 0" : "known"}.`,
      );
    settings[name] = value;
  }
  return settings as Settings;
}
