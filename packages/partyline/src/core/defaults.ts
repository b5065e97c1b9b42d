/**
 * Figures that were chosen, and the defaults for the others. What is given as `undefined` is not given: as a limit it
 * would hold for nothing.
 *
 * @throws TypeError where a name is unknown or a figure is no number above 0.
 */
export function withDefaults<Figures extends object>(
  what: string,
  defaults: Figures,
  chosen: Partial<Figures> = {},
): Figures {
  const figures = { ...defaults };
  for (const [name, value] of Object.entries(chosen)) {
    if (!(name in defaults)) throw new TypeError(`There is no ${what} "${name}".`);
    if (value === undefined) continue;
    if (typeof value !== "number" || !(value > 0))
      throw new TypeError(`The ${what} "${name}" is a number above 0, not ${JSON.stringify(value)}.`);
    figures[name as keyof Figures] = value as Figures[keyof Figures];
  }
  return figures;
}
