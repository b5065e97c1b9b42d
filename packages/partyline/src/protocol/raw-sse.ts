import { toBase64 } from "./base64.ts";
import { entryData } from "./entry-json.ts";
import { decodeText, type Entry } from "./message.ts";
import { formatPosition } from "./position.ts";
import { formatSse } from "./sse.ts";

/**
 * The block of a message on `/channels/{name}` as SSE: an unnamed event for text and JSON, so that `onmessage`
 * gets the data as it was published. A CR can't be carried: text that holds one, and binary, is `base64`; in JSON,
 * where it is white space, and in a deleted key it becomes LF.
 */
export function rawSseMessage(epoch: string, entry: Entry): string {
  const id = formatPosition({ epoch, offset: entry.offset });
  if (entry.kind === "deleted") return formatSse({ event: "deleted", id, data: withLf(entry.key ?? "") });
  const text = entry.kind === "binary" ? undefined : decodeText(entry.data);
  if (text === undefined || (entry.kind === "text" && text.includes("\r")))
    return formatSse({ event: "base64", id, data: toBase64(entry.data) });
  return formatSse({ id, data: withLf(text) });
}

function withLf(text: string): string {
  return text.replace(/\r\n?/g, "\n");
}

/**
 * The data line of a message on `/events`, shared by all its readers; the `id:` line, which names each reader's
 * positions in all its channels, is put before it by whoever writes to one of them.
 */
export function eventsMessageData(channel: string, entry: Entry): string {
  const key = entry.key === undefined ? "" : `,"key":${JSON.stringify(entry.key)}`;
  const data = entry.kind === "deleted" ? "" : `,"data":${entryData(entry)}`;
  return `data: {"channel":${JSON.stringify(channel)},"offset":${entry.offset},"kind":"${entry.kind}"${key}${data}}\n\n`;
}
