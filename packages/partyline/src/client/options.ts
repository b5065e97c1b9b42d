/**
 * The values that an option takes. A number: its smallest value, to which smaller ones are raised, and its default.
 * Anything else: a text that contains the value's `typeof` or, in double quotes, the value.
 */
export type OptionRule = readonly [least: number, usual?: number] | string;

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
export function checkOption(name: string, value: unknown, rule: OptionRule = "known option"): unknown {
  if (typeof rule === "string") {
    if (rule.includes(typeof value) || rule.includes(`"${String(value)}"`)) return value;
  } else if (typeof value === "number" && value >= 0) return Math.max(value, rule[0]);
  throw new TypeError(
    `${name}: ${String(value)} is not a ${typeof rule === "string" ? rule : "number from 0"}.`,
  );
}

/**
 * Reads options. `undefined` and `null` mean that an option is not given.
 *
 * @throws TypeError for an unknown option, and for a value that the option does not take.
 */
export function readOptions<Options extends object, Settings = Given<Options>>(
  rules: OptionRules<Options>,
  options: Options | null | undefined,
): Settings {
  const settings: Record<string, unknown> = {};
  for (const [name, rule] of Object.entries<OptionRule>(rules))
    if (typeof rule === "object" && rule.length > 1) settings[name] = rule[1];
  for (const [name, value] of Object.entries(options ?? {}))
    if (value !== undefined && value !== null)
      settings[name] = checkOption(name, value, rules[name as keyof Options]);
  return settings as Settings;
}
