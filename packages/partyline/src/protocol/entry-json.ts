import { toBase64 } from "./base64.ts";
import { decodeText, type Entry } from "./message.ts";

/**
 * The `data` of an entry as JSON, on one line: the JSON as it came, a string, or base64 in a string. Line ends
 * between the tokens of a JSON message become spaces; inside of strings JSON has none.
 */
export function entryData(entry: Entry): string {
  switch (entry.kind) {
    case "json":
      return (decodeText(entry.data) ?? "").replace(/[\r\n]/g, " ");
    case "text":
      return JSON.stringify(decodeText(entry.data) ?? "");
    case "binary":
      return `"${toBase64(entry.data)}"`;
    case "deleted":
      return "null";
  }
}

/** The fields of an entry as they stand in history answers and message frames, without the braces. */
export function entryFields(entry: Entry): string {
  let fields = `"offset":${entry.offset},"time":${entry.time},"kind":"${entry.kind}"`;
  if (entry.id !== undefined) fields += `,"id":"${entry.id}"`;
  if (entry.key !== undefined) fields += `,"key":${JSON.stringify(entry.key)}`;
  return entry.kind === "deleted" ? fields : `${fields},"data":${entryData(entry)}`;
}

/** The line of a message on `/connect`, without its line end. */
export function messageLine(c: number, entry: Entry): string {
  return `{"t":"m","c":${c},${entryFields(entry)}}`;
}
