/**
 * Server-Sent Events (WHATWG HTML, section 9.2): one formatter and one parser, for server, client and tests.
 * Line ends are LF on the way out, because some parsers in the field fail on a bare CR; all three are read.
 */

/** One event as it is written. */
export interface SseEvent {
  /** Event name; unnamed events arrive as `message`. */
  readonly event?: string;
  /** Becomes the reader's `Last-Event-ID`. */
  readonly id?: string;
  /** Milliseconds after which a browser reconnects. Only together with `data`: alone it is read as an empty event by some. */
  readonly retry?: number;
  /** May hold LF; a CR would be read as a line end, so callers say what becomes of it. */
  readonly data: string;
}

/**
 * The block for one event.
 *
 * @throws TypeError where `event` or `id` holds a line end or NUL, or `data` a CR: each would change the meaning
 * of what follows.
 */
export function formatSse(event: SseEvent): string {
  let block = "";
  if (event.event !== undefined) block += `event: ${oneLine(event.event)}\n`;
  if (event.id !== undefined) block += `id: ${oneLine(event.id)}\n`;
  if (event.retry !== undefined) block += `retry: ${event.retry}\n`;
  return `${block}${dataLines(event.data)}\n`;
}

/** A comment: bytes that keep a stream alive and mean nothing. */
export const SSE_COMMENT = ":\n\n";

function dataLines(data: string): string {
  if (data.includes("\r")) throw new TypeError("A CR can't be part of SSE data: encode the data first.");
  return data.includes("\n") ? `data: ${data.replaceAll("\n", "\ndata: ")}\n` : `data: ${data}\n`;
}

function oneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex -- they are what is refused
  if (/[\r\n\u0000]/.test(text)) throw new TypeError("An SSE field can't hold a line end or NUL.");
  return text;
}

/** One event as it was read. */
export interface ReadSseEvent {
  readonly event: string;
  /** The id that holds at this event: its own or the newest before it, `""` where there was none. */
  readonly id: string;
  readonly data: string;
}

/** Name and value; one space behind the colon belongs to neither. */
const FIELD = /^([^:]*):? ?(.*)$/s;

/** Takes a stream's text in pieces of any size; see {@link createSseParser}. */
export interface SseParser {
  push(text: string): void;
}

/** What {@link createSseParser} reports. */
export interface SseHandler {
  event(event: ReadSseEvent): void;
  retry?(milliseconds: number): void;
}

/**
 * A parser that gives the same events however the text is cut. An event that the stream's end leaves unfinished is
 * not reported, as the standard has it.
 *
 * @param maxLength Most that is held of one event, in UTF-16 units: its data and the line at hand. Beyond it `push`
 * throws a RangeError. Default 1 Mi.
 */
export function createSseParser(handler: SseHandler, maxLength: number = 1024 * 1024): SseParser {
  let rest = "";
  let data: string | undefined;
  let name = "";
  let id = "";
  let begun = false;
  let afterCarriageReturn = false;

  const bound = (waiting: number): void => {
    if (waiting + (data?.length ?? 0) > maxLength)
      throw new RangeError(`An SSE event of more than ${maxLength} characters.`);
  };

  const field = (line: string): void => {
    bound(line.length);
    if (line === "") {
      if (data !== undefined) handler.event({ event: name || "message", id, data });
      data = undefined;
      name = "";
      return;
    }
    const [, key, value = ""] = FIELD.exec(line) ?? [];
    if (key === "data") data = data === undefined ? value : `${data}\n${value}`;
    else if (key === "event") name = value;
    else if (key === "id" && !value.includes("\0")) id = value;
    else if (key === "retry" && /^\d+$/.test(value)) handler.retry?.(Number(value));
  };

  return {
    push(text) {
      if (text === "") return;
      if (!begun) text = text.replace(/^\uFEFF/, "");
      begun = true;
      // The LF of a CRLF that was cut between the two ends no second line.
      if (afterCarriageReturn && text.startsWith("\n")) text = text.slice(1);
      afterCarriageReturn = text === "" ? false : text.endsWith("\r");
      // Only what came is searched, and what waits is joined once, at its line's end: a long line in many pieces
      // stays linear.
      let start = 0;
      const lineEnd = /\r\n|\r|\n/g;
      for (let match = lineEnd.exec(text); match; match = lineEnd.exec(text)) {
        field(rest + text.slice(start, match.index));
        rest = "";
        start = lineEnd.lastIndex;
      }
      rest += text.slice(start);
      bound(rest.length);
    },
  };
}
