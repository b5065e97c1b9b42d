import { createSseParser, type ReadSseEvent } from "../../src/protocol/sse.ts";
import { attachLine, frameProbe, FrameReader, helloLine } from "./frames.ts";
import {
  authorization,
  channelUrl,
  deferred,
  Inbox,
  type Opening,
  type Probe,
  problemCode,
  type ProbeRequest,
  Refused,
  type Told,
} from "./probe.ts";

const STREAM = { accept: "text/event-stream" };

/** Reads an event stream until it ends or is aborted. */
export async function readStream(
  response: Response,
  handler: { event(event: ReadSseEvent): void; end(): void },
): Promise<void> {
  const parser = createSseParser(handler);
  const decoder = new TextDecoder();
  try {
    for await (const bytes of response.body ?? []) parser.push(decoder.decode(bytes, { stream: true }));
  } catch {
    // Aborted, or cut off: the end, either way.
  }
  handler.end();
}

export async function openRawSse(
  request: ProbeRequest,
  more: Record<string, string> = {},
): Promise<Probe & { readonly response: Response }> {
  const abort = new AbortController();
  const headers = { ...STREAM, ...authorization(request.token), ...more };
  const response = await fetch(channelUrl(request), { headers, signal: abort.signal });
  if (!response.ok) throw new Refused(await problemCode(response));
  const inbox = new Inbox<Told>();
  const opened = deferred<Opening>();
  const reading = readStream(response, {
    event(event) {
      if (event.event === "continuous") opened.resolve(fields(event) as Opening);
      else if (event.event === "gap" && inbox.size === 0 && !started) {
        const gap = fields(event) as { from: string; to: string; reason: string; replayed: number };
        opened.resolve({ position: gap.to, replayed: gap.replayed, gap });
      } else inbox.push(toldBy(event));
      started = true;
    },
    end: () => inbox.push({ is: "end" }),
  });
  let started = false;
  return {
    response,
    opening: await opened.promise,
    next: () => inbox.next(),
    async [Symbol.asyncDispose]() {
      await ended(reading, abort);
    },
  };
}

/**
 * Ends a stream. Node 22's `fetch` leaves a read pending for ever when it is aborted while its stream ends by itself,
 * so the end is not waited for longer than the abort.
 */
async function ended(reading: Promise<void>, abort: AbortController): Promise<void> {
  const aborted = new Promise((resolve) => abort.signal.addEventListener("abort", resolve));
  abort.abort();
  await Promise.race([reading, aborted]);
}

function fields(event: ReadSseEvent): unknown {
  return JSON.parse(event.data);
}

function toldBy(event: ReadSseEvent): Told {
  const offset = Number(event.id.split(":")[1]);
  switch (event.event) {
    case "message":
      return { is: "message", kind: /^\s*[[{]/.test(event.data) ? "json" : "text", offset, data: event.data };
    case "base64":
      return { is: "message", kind: "binary", offset, data: event.data };
    case "deleted":
      return { is: "message", kind: "deleted", offset, key: event.data };
    case "gap":
      return { is: "gap", ...(fields(event) as { from: string; to: string; reason: string }) };
    case "skip":
      return { is: "skip", ...(fields(event) as { from: string; to: string }) };
    case "mark":
      return { is: "mark", position: event.id };
    case "error":
      return { is: "end", code: (fields(event) as { code: string }).code };
    default:
      throw new Error(`An event of another kind: ${event.event}`);
  }
}

function postFrames(
  url: string,
  lines: string,
  more: { headers: Record<string, string>; signal?: AbortSignal },
): Promise<Response> {
  const headers = { "content-type": "application/x-ndjson", ...more.headers };
  return fetch(`${url}/connect`, { method: "POST", headers, body: lines, signal: more.signal ?? null });
}

export async function openConnectSse(request: ProbeRequest): Promise<Probe> {
  const { url, token } = request;
  const abort = new AbortController();
  const lines = `${helloLine(token === undefined ? {} : { token })}\n${attachLine(request)}\n`;
  const response = await postFrames(url, lines, { headers: STREAM, signal: abort.signal });
  if (!response.ok) throw new Refused(await problemCode(response));
  const reader = new FrameReader();
  const reading = readStream(response, { event: ({ data }) => reader.read(data), end: () => reader.end() });
  return frameProbe(reader, async () => {
    await ended(reading, abort);
  });
}

/** A row of polls, each from where the one before ended. */
export async function openConnectPoll(request: ProbeRequest): Promise<Probe> {
  const { url, since, token } = request;
  const abort = new AbortController();
  const reader = new FrameReader();
  const poll = async (): Promise<void> => {
    for (let from = since; !abort.signal.aborted; from = reader.position ?? from) {
      const hello = helloLine({
        ...(token === undefined ? {} : { token }),
        wait: reader.attached ? 20 : 0.001,
      });
      const lines = `${hello}\n${attachLine({ ...request, ...(from === undefined ? {} : { since: from }) })}\n`;
      const response = await postFrames(url, lines, { headers: {}, signal: abort.signal });
      if (!response.ok) return reader.end(await problemCode(response));
      reader.read(await response.text());
    }
  };
  const polling = poll().catch(() => reader.end());
  return frameProbe(reader, async () => {
    abort.abort();
    await polling;
  });
}

interface HistoryBody {
  readonly messages: readonly { offset: number; kind: string; id?: string; key?: string; data?: unknown }[];
  readonly position: string;
  readonly head: string;
  readonly more: boolean;
  readonly gap?: { from: string; to: string; reason: string };
}

/** A row of long polls in plain JSON. */
export async function openJsonPoll(request: ProbeRequest): Promise<Probe> {
  const abort = new AbortController();
  const inbox = new Inbox<Told>();
  const headers = authorization(request.token);
  const get = async (since: string | undefined, wait: string): Promise<HistoryBody> => {
    const url = channelUrl({ ...request, ...(since === undefined ? {} : { since }) }, { wait });
    const response = await fetch(url, { headers, signal: abort.signal });
    if (!response.ok) throw new Refused(await problemCode(response));
    const text = await response.text();
    const body = JSON.parse(text) as HistoryBody;
    for (const { offset, kind, id, key, data } of body.messages) {
      const names = { ...(id === undefined ? {} : { id }), ...(key === undefined ? {} : { key }) };
      const told = kind === "deleted" ? {} : { data: kind === "json" ? sourceOf(text, data) : String(data) };
      inbox.push({ is: "message", kind: kind as "json", offset, ...names, ...told });
    }
    return body;
  };
  const first = await get(request.since, "0");
  const poll = async (): Promise<void> => {
    for (let since = first.position; ;) {
      const { position, gap } = await get(since, "20");
      if (gap) inbox.push({ is: "gap", ...gap });
      since = position;
    }
  };
  const polling = poll().catch(() => inbox.push({ is: "end" }));
  return {
    opening: { ...(first.gap ? { gap: first.gap } : {}) },
    next: () => inbox.next(),
    async [Symbol.asyncDispose]() {
      abort.abort();
      await polling;
    },
  };
}

/** JSON as it stands in the answer, where the parsed value occurs once. */
function sourceOf(text: string, value: unknown): string {
  const json = JSON.stringify(value);
  if (text.includes(json)) return json;
  const found = /"kind":"json"(?:,"(?:id|key)":"[^"]*")*,"data":(.*?)\}(?:,\{"offset"|\],"position")/.exec(
    text,
  );
  return found?.[1] ?? json;
}
