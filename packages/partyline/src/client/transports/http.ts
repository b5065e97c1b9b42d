import { FRAMES_TYPE } from "../../protocol/frames.ts";
import { PartylineError } from "../../protocol/partyline-error.ts";
import { backoffDelay } from "../backoff.ts";
import { connectionLost, silence } from "../errors.ts";
import type { Command, Link, LinkRequest, LinkTiming, RefusalFrame } from "../link.ts";
import { createStream, type Stream } from "../stream.ts";
import { createWatch } from "../watch.ts";
import { readRefusal, type Refusal } from "./refusal.ts";
import { explainFailure } from "./unreached.ts";

/** Changes of channels within this time share one new round, ms. */
const GATHER = 50;

/** What one `POST` of commands carries at most; a server takes 1 000 lines. The rest goes into the next. */
const MAX_LINES = 500;
const MAX_LENGTH = 256 * 1024;

/** Multiple of the first time for a `POST` that its repeats may reach. */
const MAX_PATIENCE = 8;

/** A stream, or a row of polls: its channels are those it was opened with. */
export interface Round {
  readonly stream: Stream;
  /** Aborted when a newer round has taken over. */
  readonly signal: AbortSignal;
  /** Bytes came. */
  readonly heard: () => void;
  /** Number of `welcome` frames that came. */
  welcomes: number;
}

/** The longest `wait` that a server takes, in seconds. */
const MAX_WAIT = 55;

/** The silence that the client asks the server for, in seconds: four fifths of the interval of its questions. */
export function silenceOf({ pingInterval }: LinkTiming): number {
  return Math.min(pingInterval / 1250, MAX_WAIT);
}

/** Sends one `POST /connect`. */
async function post(
  request: LinkRequest,
  body: string,
  signal: AbortSignal,
  accept: string = FRAMES_TYPE,
): Promise<Response> {
  const { url, fetch, headers, credentials } = request;
  const response = fetch(url, {
    method: "POST",
    headers: { ...headers, accept, "content-type": FRAMES_TYPE },
    body,
    signal,
    ...(credentials && { credentials }),
  });
  return response.catch((cause: unknown) => {
    throw signal.aborted ? cause : explainFailure(request, cause);
  });
}

/**
 * Sends the `POST` of a round.
 *
 * @throws PartylineError if the status is not 2xx.
 */
export async function postRound(
  request: LinkRequest,
  ...rest: [string, AbortSignal, string?]
): Promise<Response> {
  const response = await post(request, ...rest);
  if (response.ok) return response;
  const { error, verdict } = readRefusal(response, await response.text(), request.runtime.date());
  throw verdict === "refused" ? new PartylineError(verdict, error.message, error) : error;
}

/**
 * `/connect` over HTTP: a round brings the channels, `POST`s beside it take commands up. To change the channels a new
 * round is begun at the present positions, and the old one ended at the new one's first frame.
 *
 * @param run Reads until the round is aborted; throws where it ends otherwise.
 */
export function openHttp(request: LinkRequest, run: (round: Round) => Promise<void>): Link {
  const { host, runtime, token } = request;
  /** The newest last; two only during a change. */
  let rounds: { readonly stream: Stream; readonly abort: AbortController }[] = [];
  let opening = false;
  /** When another round may begin. */
  let notBefore = 0;
  /** Failed rounds since the last `welcome`. */
  let failures = 0;
  /** Most channels that the next round has and the present one has not. */
  let mostFresh = Infinity;
  let stopTimer = (): void => undefined;
  let waiting: Command[] = [];
  let posting = false;
  let abortPost = (): void => undefined;
  /** Time for a `POST` of commands, in milliseconds. */
  let patience = request.pingInterval + request.pongTimeout;
  /** Most commands in the next `POST`: halved when one fails, doubled when one is answered. */
  let most = MAX_LINES;

  const watch = createWatch(
    request,
    // A server writes, or answers the poll, well within the interval: a new round is the question.
    () => {
      begin();
      return 0;
    },
    () => {
      stopTimer();
      for (const { abort } of rounds) abort.abort();
      abortPost();
    },
  );

  const begin = (): void => {
    if (opening) return;
    opening = true;
    stopTimer();
    stopTimer = runtime.after(request.pongTimeout, () => watch.fail(silence()));
    const abort = new AbortController();
    const { signal } = abort;
    const present = rounds.at(-1)?.stream.channels;
    const limit = mostFresh;
    const stream = createStream(
      {
        ...host,
        wanted() {
          let room = limit;
          return host.wanted().filter((channel) => present?.has(channel) || room-- > 0);
        },
        welcome(frame) {
          round.welcomes++;
          if (signal.aborted) return;
          host.welcome(frame);
          if (!opening || rounds.at(-1)?.stream !== stream) return;
          opening = false;
          failures = 0;
          mostFresh = Math.max(mostFresh * 2, 1);
          stopTimer();
          watch.answered();
          for (const other of rounds) if (other.stream !== stream) other.abort.abort();
          rounds = [{ stream, abort }];
          link.sync();
        },
      },
      token,
    );
    const round: Round = { stream, signal, heard: watch.heard, welcomes: 0 };
    rounds.push({ stream, abort });
    run(round).catch((cause: unknown) => {
      if (!signal.aborted) failed(stream, cause);
    });
  };
  /** A round has failed. One that was to replace another leaves that one as it is. */
  const failed = (stream: Stream, cause: unknown): void => {
    const error = cause instanceof PartylineError ? cause : undefined;
    const isNext = opening && rounds.at(-1)?.stream === stream;
    const present = rounds.at(-2)?.stream.channels;
    const fresh = [...stream.channels.keys()].filter((channel) => !present?.has(channel));
    let delay = 0;
    if (isNext && error?.code === "refused" && fresh.length > 0) {
      // Something on the way may refuse the name of one channel, or too many. Without any, the way itself is tried.
      mostFresh = present ? Math.max(fresh.length >> 1, 1) : 0;
      if (present && fresh.length === 1) host.reader(fresh[0] as string)?.refused(toFrame(error, "refused"));
    } else if (isNext && present && error?.retryable) {
      delay = backoffDelay(failures++, request, runtime.random, error);
      // A server that asks for time, as one that drains, was reached.
      if (error.retryAfter) watch.answered();
    } else {
      watch.fail(error?.code === "refused" ? connectionLost(error.message, error) : cause);
      return;
    }
    rounds.pop();
    opening = false;
    notBefore = runtime.now() + delay;
    beginSoon();
  };
  const beginSoon = (): void => {
    if (watch.over || opening) return;
    stopTimer();
    stopTimer = runtime.after(Math.max(GATHER, notBefore - runtime.now()), begin);
  };

  /** Sends commands and reads the response; returns why commands are without an answer. */
  const exchange = async (lines: string, answers: Stream): Promise<Refusal> => {
    const abort = new AbortController();
    abortPost = () => abort.abort();
    const stop = runtime.after(patience, () => {
      // It was cut on a dead connection, or on a slow one that would have needed more time.
      patience = Math.min(patience * 2, MAX_PATIENCE * (request.pingInterval + request.pongTimeout));
      abortPost();
    });
    try {
      const response = await post(request, lines, abort.signal);
      const body = await response.text();
      if (!response.ok) return readRefusal(response, body, runtime.date());
      try {
        answers.read(body);
      } catch (error) {
        if (error instanceof PartylineError) return { error };
      }
      return { error: connectionLost("The response lacks answers."), verdict: "uncertain" };
    } catch (cause) {
      // The connection of a round may be dead too, and quiet about it.
      if (!watch.over) watch.probe();
      return { error: connectionLost("A POST failed.", cause), verdict: "offline" };
    } finally {
      stop();
    }
  };
  /**
   * A `POST` that fails leaves open what the server did, so its commands are sent again, under the same ids. It does not
   * end the link: something on the way may refuse the content of a single command.
   */
  const sendWaiting = async (): Promise<void> => {
    while (waiting.length > 0) {
      const answers = createStream(host, token);
      let lines = answers.open(undefined, 0);
      let count = 0;
      for (; count < waiting.length && count < most && lines.length < MAX_LENGTH; count++) {
        const line = answers.command(waiting[count] as Command);
        if (line) lines += `\n${line}`;
      }
      waiting = waiting.slice(count);
      const sent = answers.unanswered.length;
      if (sent === 0) continue;
      const { error, verdict } = await exchange(lines, answers);
      const { unanswered } = answers;
      if (watch.over) return;
      if (unanswered.length === 0) {
        most = Math.min(most * 2, MAX_LINES);
        continue;
      }
      most = Math.max(sent >> 1, 1);
      if (!verdict && !error.retryable && error.code !== "too-large") throw error;
      const isAbout = error.code === "too-large" || verdict === "refused" || verdict === "uncertain";
      if (isAbout && sent > 1) waiting = [...unanswered, ...waiting];
      else for (const command of unanswered) command.answer(toFrame(error, verdict));
    }
    posting = false;
  };

  const link: Link = {
    send(command) {
      waiting.push(command);
      if (posting) return;
      posting = true;
      // In a microtask, so that all that is published in one go shares the first request.
      Promise.resolve()
        .then(sendWaiting)
        .catch((cause: unknown) => watch.fail(cause));
    },
    sync() {
      const wanted = host.wanted();
      const channels = rounds.at(-1)?.stream.channels;
      if (wanted.length !== channels?.size || wanted.some((channel) => !channels.has(channel))) beginSoon();
    },
    reattach: beginSoon,
    probe: watch.probe,
    close: () => watch.stop(),
  };
  begin();
  return link;
}

function toFrame(
  { code, message, remedy, retryAfter }: PartylineError,
  verdict: Refusal["verdict"],
): RefusalFrame {
  return { t: "error", code: verdict ?? code, message, remedy, retryAfter };
}
