/**
 * The values that an option takes: a number is the default of a number that is not negative; a text contains the
 * value's `typeof` or, in double quotes, the value.
 */
export type OptionRule = number | string;

/** A rule for each option. */
export type OptionRules<Options> = { readonly [Name in keyof Options]-?: OptionRule };

/** Options of which each may be left out or `undefined`. */
export type Optional<Options> = { readonly [Name in keyof Options]?: Options[Name] | undefined };

/** Options that were given: none is `null`. */
export type Given<Options> = { readonly [Name in keyof Options]: Exclude<Options[Name], null> };

/**
 * Checks the value of an option.
 *
 * @throws TypeError if the rule does not allow the value.
 */
export function checkOption<Value>(name: string, value: Value, rule: OptionRule = "known option"): Value {
  const allowed = typeof rule === "number" ? "number from 0" : rule;
  const isWrongNumber = typeof value === "number" && !(value >= 0);
  if (isWrongNumber || !(allowed.includes(typeof value) || allowed.includes(`"${String(value)}"`)))
    throw new TypeError(`${name}: ${String(value)} is not a ${allowed}.`);
  return value;
}

/** Returns the names and values of the options that are given: `undefined` and `null` mean that one is not. */
export function givenOptions<Value>(
  options: Readonly<Record<string, Value>> | null | undefined,
): [string, NonNullable<Value>][] {
  return Object.entries(options ?? {}).filter(
    (entry): entry is [string, NonNullable<Value>] => entry[1] !== undefined && entry[1] !== null,
  );
}

/**
 * Checks and completes options.
 *
 * @throws TypeError for an unknown option, and for a value that the option does not take.
 */
export function readOptions<Options extends object, Settings = Given<Options>>(
  rules: OptionRules<Options>,
  options: Options | null | undefined,
): Settings {
  const settings: Record<string, unknown> = {};
  for (const [name, rule] of Object.entries<OptionRule>(rules))
    if (typeof rule === "number") settings[name] = rule;
  for (const [name, value] of givenOptions(options as Record<string, unknown>))
    settings[name] = checkOption(name, value, rules[name as keyof Options]);
  return settings as Settings;
}
