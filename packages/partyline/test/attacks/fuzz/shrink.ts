/** Whether the fault shows with these items alone. */
export type Shows<T> = (items: readonly T[]) => Promise<boolean>;

/** Leaves out items, in big pieces first, while the fault still shows. */
export async function shrink<T>(
  items: readonly T[],
  shows: Shows<T>,
  more: () => boolean,
): Promise<readonly T[]> {
  let shortest = items;
  for (let piece = Math.ceil(items.length / 2); piece >= 1 && more();) {
    let shortened = false;
    for (let start = shortest.length - piece; start > -piece && more(); start -= piece) {
      const fewer = [...shortest.slice(0, Math.max(0, start)), ...shortest.slice(start + piece)];
      if (fewer.length === shortest.length || fewer.length === 0 || !(await shows(fewer))) continue;
      shortest = fewer;
      shortened = true;
    }
    if (piece > 1) piece = Math.floor(piece / 2);
    else if (!shortened) break;
  }
  return shortest;
}
