/**
 * Readers that are no client of ours: an event stream as browsers read it, and polls of JSON as scripts do. They check
 * nothing by themselves, so that what the server does wrong is not healed before the oracle sees it.
 */
import { createSseParser, type ReadSseEvent } from "../../src/protocol/sse.ts";
import type { OracleReader, Told } from "../../src/testing/oracle/index.ts";
import type { ChannelName, ResumesBy } from "./history.ts";
import type { Reading } from "./reading.ts";
import type { WorldClient } from "./world.ts";

type After = (ms: number) => Promise<void>;
type Jump = Extract<Told, { is: "gap" }>;

/** The server writes something at least every two seconds, or answers a poll; who hears nothing begins anew. Ms. */
const SILENCE = 3000;
const PAUSE = 20;

/** How a channel is read. */
export interface RawReading {
  readonly log: OracleReader;
  readonly after: After;
  /** Most messages a second; not for polls. */
  readonly maxRate: number | undefined;
  /** The name as the request writes it. */
  readonly spelled: string;
  readonly resumes: ResumesBy;
  /** Where it begins. */
  readonly since: string;
  /** It goes on from a position. */
  readonly resumed: () => void;
}

/** The URL and headers of a request that reads on from `last`, or begins. */
function requestOf(
  url: string,
  { spelled, resumes, since, resumed }: RawReading,
  last: string | undefined,
  more: Readonly<Record<string, string>>,
): { readonly url: string; readonly headers: Readonly<Record<string, string>> } {
  const query = new URLSearchParams({ since, ...more });
  if (last !== undefined) {
    resumed();
    // A polyfill repeats its URL and adds where it is; in `since` the position takes the place of the beginning.
    if (resumes !== "header") query.set(resumes, last);
  }
  return {
    url: `${url}/channels/${encodeURIComponent(spelled)}?${query.toString()}`,
    headers: resumes === "header" && last !== undefined ? { "last-event-id": last } : {},
  };
}

export function readEvents({ url, fetch }: WorldClient, name: ChannelName, reading: RawReading): Reading {
  const { log, after, maxRate } = reading;
  let last: string | undefined;
  const take = ({ event, id, data }: ReadSseEvent): void => {
    if (event === "continuous") log.began((JSON.parse(data) as { position: string }).position);
    else if (event === "gap") log.gap(JSON.parse(data) as Jump);
    else if (event === "skip") log.skip(JSON.parse(data) as Jump);
    // Binary is told as base64, and so is the oracle.
    else if (event === "message" || event === "base64") log.message({ position: id, data });
    if (id !== "") last = id;
  };
  return readAgainAndAgain(
    { channel: name, position: () => last, left: log.left },
    after,
    async (signal, heard) => {
      const less = maxRate === undefined ? {} : { maxRate: `${maxRate}` };
      const { url: at, headers } = requestOf(url, reading, last, less);
      const response = await fetch(at, { headers: { accept: "text/event-stream", ...headers }, signal });
      if (!response.ok || !response.body) return;
      const parser = createSseParser({ event: (event) => void (signal.aborted || take(event)) });
      const decoder = new TextDecoder();
      for await (const bytes of response.body as unknown as AsyncIterable<Uint8Array>) {
        heard();
        parser.push(decoder.decode(bytes, { stream: true }));
      }
    },
  );
}

interface JsonPage {
  readonly messages: readonly {
    readonly offset: number;
    readonly kind: "json" | "text" | "binary";
    readonly id: string;
    readonly data: unknown;
  }[];
  readonly position: string | null;
  readonly gap?: Jump;
}

export function readPolls({ url, fetch }: WorldClient, name: ChannelName, reading: RawReading): Reading {
  const { log, after, resumes } = reading;
  let last: string | undefined;
  const take = ({ messages, position, gap }: JsonPage): void => {
    if (position === null) return;
    const [epoch] = position.split(":");
    const first = messages[0];
    if (gap) log.gap(gap);
    else log.began(first ? `${epoch}:${first.offset - 1}` : position);
    for (const { offset, id, kind, data } of messages)
      log.message({ position: `${epoch}:${offset}`, id, ...(kind === "binary" ? { data } : { kind, data }) });
    last = position;
  };
  return readAgainAndAgain(
    { channel: name, position: () => last, left: log.left },
    after,
    async (signal, heard) => {
      const by = resumes === "header" ? "since" : resumes;
      const { url: at } = requestOf(url, { ...reading, resumes: by }, last, { wait: "1", limit: "50" });
      const response = await fetch(at, { signal });
      if (!response.ok) return;
      const page = (await response.json()) as JsonPage;
      heard();
      if (!signal.aborted) take(page);
    },
  );
}

/** What is read. */
interface Place {
  readonly channel: string;
  readonly position: () => string | undefined;
  readonly left: () => void;
}

/** Reads until it ends, whatever becomes of each attempt. */
function readAgainAndAgain(
  { channel, position, left }: Place,
  after: After,
  attempt: (signal: AbortSignal, heard: () => void) => Promise<void>,
): Reading {
  let state: "reading" | "paused" | "ended" = "reading";
  let abort = new AbortController();
  let beats = 0;

  const watch = async (watched: AbortController): Promise<void> => {
    for (let before = -1; before !== beats && !watched.signal.aborted;) {
      before = beats;
      await after(SILENCE);
    }
    watched.abort();
  };
  const isOver = (): boolean => state === "ended";
  const run = async (): Promise<void> => {
    while (!isOver()) {
      if (state === "reading") {
        abort = new AbortController();
        void watch(abort);
        await attempt(abort.signal, () => beats++).catch(() => undefined);
        abort.abort();
      }
      await after(PAUSE);
    }
  };
  void run();
  return {
    channel,
    get position() {
      return position();
    },
    end() {
      state = "ended";
      left();
      abort.abort();
    },
    pause() {
      state = "paused";
      abort.abort();
    },
    resume() {
      state = "reading";
    },
    hurry: () => undefined,
  };
}
