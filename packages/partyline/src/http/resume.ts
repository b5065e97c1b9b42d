import type { Exchange } from "./exchange.ts";

/**
 * The text that says where a reader goes on: `Last-Event-ID`, else `lastEventId` in the query, else `since`. A native
 * `EventSource` sends the header and repeats its URL when it reconnects; polyfills that can't set headers add the id to
 * the query, in one of several spellings. Both say what was seen, which counts before where the reader began.
 */
export function resumeText(exchange: Exchange, query: URLSearchParams | undefined): string | undefined {
  const header = exchange.header("last-event-id");
  if (header !== undefined && header !== "") return header;
  return query && (queryId(query) ?? query.get("since") ?? undefined);
}

/** The last of several: a polyfill adds its own behind the one in the URL that it was given. */
function queryId(query: URLSearchParams): string | undefined {
  let found: string | undefined;
  for (const [name, value] of query)
    if (value !== "" && name.replaceAll("-", "").toLowerCase() === "lasteventid") found = value;
  return found;
}
