import { CliError } from "../exit.ts";

/** From here on a number is ms since 1970 (of 1973 and later), below it seconds. */
const MILLISECONDS_FROM = 1e11;

const ISO =
  /^(\d{4}-\d{2}(?:-\d{2})?)(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?) ?(Z|[+-]\d{2}(?::?\d{2})?)?)?$/i;
const CLOCK = /^(?:(\d+):)?(\d+):([0-5]\d(?:\.\d+)?)$/;

/** The field of this name, or else the one at the end of a dotted path. */
export function fieldOf(row: unknown, path: string): unknown {
  if (typeof row !== "object" || row === null) return undefined;
  if (Object.hasOwn(row, path)) return (row as Record<string, unknown>)[path];
  let value: unknown = row;
  for (const name of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

/**
 * The times in a field of all rows, in ms; their zero means nothing.
 *
 * Numbers are ms since 1970 where the largest is from 1e11 on, and seconds otherwise: since 1970, or since the
 * beginning of whatever was recorded. Texts are numbers, ISO 8601 dates (UTC where they name no zone), or clocks
 * such as `12:30` (minutes and seconds) and `1:05:30.5`.
 */
export function readTimes(rows: readonly unknown[], path: string): number[] {
  const values = rows.map((row) => normalize(fieldOf(row, path)));
  const numbers = values.filter((value) => typeof value === "number");
  const largest = numbers.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  const unit = largest >= MILLISECONDS_FROM ? 1 : 1000;
  return values.map((value, index) => {
    const time = typeof value === "number" ? value * unit : textTime(value);
    if (time === undefined) throw noTime(rows, index, path);
    return time;
  });
}

function normalize(value: unknown): number | string {
  if (typeof value === "number") return Number.isFinite(value) ? value : "";
  if (typeof value !== "string") return "";
  const text = value.trim();
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text) ? Number(text) : text;
}

function textTime(text: string): number | undefined {
  const clock = CLOCK.exec(text);
  if (clock) return (Number(clock[1] ?? 0) * 3600 + Number(clock[2]) * 60 + Number(clock[3])) * 1000;
  const iso = ISO.exec(text);
  if (!iso) return undefined;
  const [, date = "", time = "00:00", zone = "Z"] = iso;
  const offset = zone.toUpperCase() === "Z" ? "Z" : `${zone.replace(":", "").padEnd(5, "0")}`;
  const withColon = offset === "Z" ? offset : `${offset.slice(0, 3)}:${offset.slice(3)}`;
  const parsed = Date.parse(`${date.length === 7 ? `${date}-01` : date}T${time}${withColon}`);
  return Number.isNaN(parsed) ? undefined : parsed;
}

function noTime(rows: readonly unknown[], index: number, path: string): CliError {
  const row = rows[index];
  const found = fieldOf(row, path);
  if (found !== undefined)
    return new CliError(
      `Row ${index + 1} has no time in "${path}": ${JSON.stringify(found).slice(0, 60)}.`,
      "A time is a number (ms or seconds), an ISO 8601 date or a clock such as 1:05:30.",
    );
  const names = typeof row === "object" && row !== null ? Object.keys(row) : [];
  return new CliError(
    `Row ${index + 1} has no field "${path}".`,
    names.length === 0 ? "The rows are not objects." : `It has: ${names.slice(0, 20).join(", ")}.`,
  );
}
