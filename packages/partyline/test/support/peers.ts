/** Peers made by hand, which are told what comes and do nothing of their own accord. */
import { createSseParser, type ReadSseEvent } from "../../src/protocol/sse.ts";
import { Inbox } from "../transport/probe.ts";
import { openSocket } from "../transport/websocket-probes.ts";

export const HELLO = '{"t":"hello","v":1}';
export const ATTACH = '{"t":"attach","n":1,"channel":"a"}';
export const STREAM = { accept: "text/event-stream" };

export type Frame = Readonly<Record<string, unknown>>;

/** A WebSocket of `/connect`. */
export interface Talker {
  next(): Promise<Frame>;
  say(line: string): void;
  /** Resolves with the code. */
  readonly closed: Promise<number>;
  leave(): void;
}

/** Opens one, says these lines, and takes the answer to each. */
export async function talk(url: string, ...lines: readonly string[]): Promise<Talker> {
  const frames = new Inbox<Frame>();
  const socket = await openSocket(`${url}/connect`);
  socket.on("message", (data: Buffer) => {
    for (const line of data.toString().split("\n")) frames.push(JSON.parse(line) as Frame);
  });
  const closed = new Promise<number>((resolve) => socket.on("close", resolve));
  if (lines.length > 0) socket.send(lines.join("\n"));
  for (const _line of lines) await frames.next();
  return {
    next: () => frames.next(),
    say: (line) => socket.send(line),
    closed,
    leave: () => socket.terminate(),
  };
}

/** An event stream. */
export interface Listener {
  readonly response: Response;
  next(): Promise<ReadSseEvent | "end">;
  /** What it was told last to wait before it comes back, ms. */
  readonly retry: number | undefined;
  leave(): void;
}

export async function listen(url: string, init: RequestInit = {}): Promise<Listener> {
  const abort = new AbortController();
  const response = await fetch(url, { headers: STREAM, signal: abort.signal, ...init });
  const events = new Inbox<ReadSseEvent | "end">();
  let retry: number | undefined;
  const parser = createSseParser({
    event: (event) => events.push(event),
    retry: (milliseconds) => (retry = milliseconds),
  });
  const read = async (): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const bytes of response.body ?? []) parser.push(decoder.decode(bytes, { stream: true }));
  };
  void read()
    .catch(() => undefined)
    .then(() => events.push("end"));
  return {
    response,
    next: () => events.next(),
    get retry() {
      return retry;
    },
    leave: () => abort.abort(),
  };
}
