import { elementTexts, memberText } from "../../protocol/json-span.ts";
import { CliError } from "../exit.ts";

/** What a file holds. */
export type FileFormat = "CSV" | "NDJSON" | "JSON";

/** One row: its value, and the JSON that is published for it. */
export interface Row {
  readonly value: unknown;
  /** Source text of the row, unless the file is CSV. */
  readonly json: string;
}

export interface Rows {
  readonly format: FileFormat;
  readonly rows: readonly Row[];
}

/**
 * The rows of a file: CSV with a header line (an object of texts each), NDJSON, a JSON array, or a JSON object that
 * holds exactly one array of objects, such as the `features` of GeoJSON.
 *
 * @param name Name of the file. The endings `.ndjson`, `.jsonl`, `.csv` (any delimiter) and `.tsv` (tabs) decide the
 *   format; otherwise the content does.
 */
export async function readRows(text: string, name: string): Promise<Rows> {
  const content = text.replace(/^\uFEFF/, "");
  const ending = /\.([a-z]+)$/i.exec(name)?.[1]?.toLowerCase();
  if (ending === "ndjson" || ending === "jsonl") return { format: "NDJSON", rows: readLines(content) };
  const looksLikeJson = /^\s*[[{]/.test(content);
  if (ending === "csv" || ending === "tsv" || !looksLikeJson)
    return { format: "CSV", rows: await readCsv(content, name, ending === "tsv" ? "\t" : undefined) };
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (cause) {
    // Several values, one a line, are no JSON as a whole.
    if (!/\n\s*[[{]/.test(content) || /^\s*\[\s*$/m.test(content)) throw malformed(name, cause);
    return { format: "NDJSON", rows: readLines(content) };
  }
  return { format: "JSON", rows: jsonRows(content, value, name) };
}

function jsonRows(content: string, value: unknown, name: string): Row[] {
  if (!Array.isArray(value)) {
    const member = arrayIn(value as object, name);
    if (member === undefined) return [{ value, json: content.trim() }];
    const [key, array] = member;
    return jsonRows(memberText(content, key) ?? "[]", array, name);
  }
  const texts = elementTexts(content);
  return value.map((element: unknown, index) => ({ value: element, json: texts[index] ?? "null" }));
}

function readLines(content: string): Row[] {
  const rows: Row[] = [];
  for (const [index, line] of content.split("\n").entries()) {
    if (line.trim() === "") continue;
    try {
      rows.push({ value: JSON.parse(line), json: line.trim() });
    } catch (cause) {
      throw malformed(`Line ${index + 1}`, cause);
    }
  }
  return rows;
}

/** The one array of rows in an object, with the name of its member; `undefined` if the object itself is the row. */
function arrayIn(value: object, name: string): readonly [string, unknown[]] | undefined {
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
  return arrays[0];
}

async function readCsv(content: string, name: string, given?: string): Promise<Row[]> {
  // Loaded on first use, because only CSV needs the parser.
  const { parse } = await import("csv-parse/sync");
  const delimiter = given ?? mostFrequent(firstRecord(content), [",", ";", "\t"]);
  const columns = (header: string[]): string[] => {
    const twice = header.find((column, index) => header.indexOf(column) !== index);
    if (twice === undefined) return header;
    throw new CliError(
      `${name} has two columns named ${JSON.stringify(twice)}.`,
      "Rename one of them: a row is an object, and an object has each name once.",
    );
  };
  try {
    const rows: Record<string, string>[] = parse(content, { columns, delimiter, skip_empty_lines: true });
    return rows.map((value) => ({ value, json: JSON.stringify(value) }));
  } catch (cause) {
    throw cause instanceof CliError ? cause : malformed(name, cause);
  }
}

/** The header without what stands in quotes, where delimiters and line ends are text. */
function firstRecord(content: string): string {
  return content.replace(/"(?:[^"]|"")*"/g, "").split(/\r?\n/, 1)[0] ?? "";
}

function mostFrequent(text: string, candidates: readonly [string, ...string[]]): string {
  const count = (candidate: string): number => text.split(candidate).length;
  return candidates.reduce((best, next) => (count(next) > count(best) ? next : best));
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
