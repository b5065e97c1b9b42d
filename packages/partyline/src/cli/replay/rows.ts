import { CliError } from "../exit.ts";

/** What a file holds. */
export type FileFormat = "CSV" | "NDJSON" | "JSON";

export interface Rows {
  readonly format: FileFormat;
  readonly rows: readonly unknown[];
}

/**
 * The rows of a file: CSV with a header line (an object of texts each), NDJSON, a JSON array, or a JSON object that
 * holds exactly one array of objects, such as the `features` of GeoJSON.
 *
 * @param name Of the file; `.ndjson`, `.jsonl` and `.csv` decide, otherwise the content does.
 */
export async function readRows(text: string, name: string): Promise<Rows> {
  const content = text.replace(/^\uFEFF/, "");
  const ending = /\.([a-z]+)$/i.exec(name)?.[1]?.toLowerCase();
  if (ending === "ndjson" || ending === "jsonl") return { format: "NDJSON", rows: readLines(content) };
  const looksLikeJson = /^\s*[[{]/.test(content);
  if (ending === "csv" || ending === "tsv" || !looksLikeJson)
    return { format: "CSV", rows: await readCsv(content, name) };
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (cause) {
    // Several values, one a line, are no JSON as a whole.
    if (!/\n\s*[[{]/.test(content) || /^\s*\[\s*$/m.test(content)) throw malformed(name, cause);
    return { format: "NDJSON", rows: readLines(content) };
  }
  return { format: "JSON", rows: Array.isArray(value) ? value : arrayIn(value as object, name) };
}

function readLines(content: string): unknown[] {
  const rows: unknown[] = [];
  for (const [index, line] of content.split("\n").entries()) {
    if (line.trim() === "") continue;
    try {
      rows.push(JSON.parse(line));
    } catch (cause) {
      throw malformed(`Line ${index + 1}`, cause);
    }
  }
  return rows;
}

/** A lone object is one row, where it holds no array of rows. */
function arrayIn(value: object, name: string): readonly unknown[] {
  const arrays = Object.entries(value).filter(
    (member): member is [string, unknown[]] =>
      Array.isArray(member[1]) &&
      member[1].some((item) => typeof item === "object" && item !== null && !Array.isArray(item)),
  );
  if (arrays.length > 1)
    throw new CliError(
      `${name} holds several arrays: ${arrays.map(([member]) => member).join(", ")}.`,
      `Take the rows out of one of them first, for instance with: jq -c '.${arrays[0]?.[0]}[]'`,
    );
  return arrays[0]?.[1] ?? [value];
}

async function readCsv(content: string, name: string): Promise<unknown[]> {
  // Only who replays CSV waits for its parser to load.
  const { parse } = await import("csv-parse/sync");
  const header = content.split(/\r?\n/, 1)[0] ?? "";
  const count = (delimiter: string): number => header.split(delimiter).length;
  const delimiter = [",", ";", "\t"].reduce((best, next) => (count(next) > count(best) ? next : best));
  try {
    return parse(content, { columns: true, delimiter, skip_empty_lines: true });
  } catch (cause) {
    throw malformed(name, cause);
  }
}

function malformed(what: string, cause: unknown): CliError {
  const why = cause instanceof Error ? cause.message.split("\n", 1)[0] : "";
  return new CliError(
    `${what} can't be read: ${why}`,
    "A file to replay is CSV with a header line, NDJSON, or JSON that is or holds one array.",
    undefined,
    cause,
  );
}
