/** Says what a value must be, as "is …" has it, if it is not that. */
export type Check = (value: unknown) => string | undefined;

/** A check, or the checks of an object's parts. */
export type Rule = Check | { readonly [name: string]: Rule };

/** A rule for each option of `Options`: the compiler finds the option that has none. */
export type Rules<Options> = { readonly [Name in keyof Required<Options>]: Rule };

/**
 * Reads options as an application wrote them, which TypeScript may not have checked. Those that are `undefined` or `null`
 * are not given, so that the defaults hold.
 *
 * @throws TypeError that names the option, and for an unknown one the nearest that exists.
 */
export function readOptions<Options extends object>(
  what: string,
  given: Options | null | undefined,
  rules: Rules<Options>,
): Options {
  return readObject(what, "option", given, rules) as Options;
}

/** As {@link readOptions}, for what is called otherwise: `kind` is "key", "limit" … */
export function readObject(
  what: string,
  kind: string,
  given: unknown,
  rules: Readonly<Record<string, Rule>>,
): Record<string, unknown> {
  if (given === undefined || given === null) return {};
  if (typeof given !== "object" || Array.isArray(given))
    throw new TypeError(`${what} takes an object, not ${show(given)}.`);
  const read: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (!rule) throw new TypeError(`${what} has no ${kind} "${name}"${suggest(name, Object.keys(rules))}`);
    if (value === undefined || value === null) continue;
    if (typeof rule === "object") {
      read[name] = readObject(`\`${name}\` of ${what}`, kind, value, rule);
      continue;
    }
    const problem = rule(value);
    if (problem !== undefined)
      throw new TypeError(`\`${name}\` of ${what} is ${problem}, not ${show(value)}.`);
    read[name] = value;
  }
  return read;
}

/** Figures that were chosen, and the defaults for all others. @throws TypeError */
export function withDefaults<Figures extends object>(
  what: string,
  kind: string,
  defaults: Figures,
  chosen: Partial<Figures> | null | undefined,
): Figures {
  const rules = Object.fromEntries(Object.keys(defaults).map((name) => [name, positive]));
  return { ...defaults, ...readObject(what, kind, chosen, rules) };
}

// --- checks ---------------------------------------------------------------------------------------------------

export const anything: Check = () => undefined;

export const positive: Check = (value) =>
  typeof value === "number" && value > 0 ? undefined : "a number above 0";

export const whole: Check = (value) =>
  Number.isSafeInteger(value) && (value as number) > 0 ? undefined : "a whole number above 0";

export const flag: Check = (value) => (typeof value === "boolean" ? undefined : "true or false");

export const string: Check = (value) => (typeof value === "string" ? undefined : "a string");

export const strings: Check = (value) =>
  Array.isArray(value) && value.every((one) => typeof one === "string") ? undefined : "a list of strings";

export const fn: Check = (value) => (typeof value === "function" ? undefined : "a function");

/** An object with these methods. */
export const has =
  (...methods: readonly string[]): Check =>
  (value) =>
    isObject(value) && methods.every((name) => typeof value[name] === "function")
      ? undefined
      : `an object with ${methods.map((name) => `${name}()`).join(", ")}`;

export const oneOf =
  (...values: readonly string[]): Check =>
  (value) =>
    typeof value === "string" && values.includes(value)
      ? undefined
      : `one of ${values.map((one) => JSON.stringify(one)).join(", ")}`;

/** The logger of a server, of workers and of brokers. */
export const logger: Check = has("info", "warn", "error");

// --- texts ----------------------------------------------------------------------------------------------------

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

function show(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "a list" : "an object";
  return typeof value === "string" ? JSON.stringify(value.slice(0, 80)) : String(value);
}

/** The end of a sentence about a name that does not exist. */
export function suggest(name: string, names: readonly string[]): string {
  const begun = name.length > 2 ? names.find((one) => one.startsWith(name.toLowerCase())) : undefined;
  const nearest = begun ?? names.toSorted((a, b) => distance(name, a) - distance(name, b))[0];
  if (nearest !== undefined && (begun || distance(name, nearest) <= Math.ceil(name.length / 3)))
    return `: did you mean "${nearest}"?`;
  return `. There ${names.length === 1 ? "is" : "are"} ${names.join(", ")}.`;
}

/** Letters to insert, remove or replace (Levenshtein), whatever their case. */
function distance(from: string, to: string): number {
  const [a, b] = [from.toLowerCase().slice(0, 40), to.toLowerCase()];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, replaced));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
