import type { ServerResponse } from "node:http";
import { constants, type Http2Session, type ServerHttp2Stream } from "node:http2";
import type { Duplex } from "node:stream";
import type { Work } from "../core/ports.ts";
import { PartylineError } from "../protocol/errors.ts";
import type { Seat } from "../transports/seat.ts";
import { bodyLength } from "./answer-body.ts";
import { problemAnswer } from "./answers.ts";
import type { Exchange, WholeAnswer } from "./exchange.ts";
import { type Service, takeSeat } from "./service.ts";

/** Requests that may wait on one connection of HTTP/1.1 until earlier ones are answered. */
const MOST_WAITING = 256;

/** Answers of at most this many bytes are given all the same, or the refusal could not be given either. */
const SMALL = 4_096;

/** Seconds after which a refused peer may ask again. */
const RETRY_AFTER = 1;

/** Time in milliseconds for a stream of HTTP/2 to close. */
const GRACE_MS = 5_000;

/** Bytes of answers that a connection of HTTP/2 may leave untaken. */
const MOST_UNTAKEN = 8 * 1024 * 1024;

const NEWEST: unique symbol = Symbol("partyline.newest");
const WAITING: unique symbol = Symbol("partyline.waiting");
const IGNORED: unique symbol = Symbol("partyline.ignored");
const UNTAKEN: unique symbol = Symbol("partyline.untaken");

/** A socket of HTTP/1.1, with the newest response on it and the numbers of requests that wait or are ignored. */
export type QueuedSocket = Duplex & {
  [NEWEST]?: ServerResponse | undefined;
  [WAITING]?: number;
  [IGNORED]?: number;
};

type CountedSession = Http2Session & { [UNTAKEN]?: number };

export function newestResponse(socket: QueuedSocket): ServerResponse | undefined {
  return socket[NEWEST];
}

/** Counts one more request that is ignored on this connection; too many end it. */
export function countIgnored(socket: QueuedSocket): void {
  const ignored = (socket[IGNORED] ?? 0) + 1;
  socket[IGNORED] = ignored;
  if (ignored > MOST_WAITING) socket.destroy();
}

/** Counts one more request that waits on this connection; too many end it. */
function mayWait(socket: QueuedSocket): boolean {
  const waiting = (socket[WAITING] ?? 0) + 1;
  socket[WAITING] = waiting;
  if (waiting > MOST_WAITING) socket.destroy();
  return waiting <= MOST_WAITING;
}

/**
 * Begins a request when the earlier ones on its connection have been answered and their answers were taken, and other
 * peers have had their turn. A peer that sends many requests and reads nothing costs one answer and not all of them.
 */
export function afterEarlier(
  work: Work,
  socket: QueuedSocket,
  response: ServerResponse | undefined,
  begin: () => void,
): void {
  const earlier = socket[NEWEST];
  socket[NEWEST] = response;
  const isNext = !earlier || earlier.writableFinished;
  if (isNext && work.begin()) return begin();
  if (!mayWait(socket)) return;
  // Further requests, and the body of this one, stay in the kernel. A socket that Node has handed over is not read yet.
  if (response) {
    if (!socket.listeners("resume").includes(stayPaused)) socket.on("resume", stayPaused);
    socket.pause();
  }
  const go = (): void => {
    const left = (socket[WAITING] ?? 1) - 1;
    socket[WAITING] = left;
    if (socket.destroyed) return;
    // Not at once: libuv would go on with up to 32 network reads in this turn.
    if (response && left === 0) work.later(() => socket.resume());
    begin();
  };
  if (isNext) work.later(go);
  else earlier.once("close", () => inTurn(work, go));
}

/** Node reads on by itself when it has done with a request, though others wait. */
function stayPaused(this: QueuedSocket): void {
  if ((this[WAITING] ?? 0) > 0) this.pause();
}

/** Does this now, or in a later turn if this turn has no time left. */
export function inTurn(work: Work, go: () => void): void {
  if (work.begin()) go();
  else work.later(go);
}

/**
 * Ends the connection of a peer that takes no byte of an answer for `limits.slowReader`. Until the answer is taken the
 * connection counts towards the limits of connections.
 */
export function watchAnswer(
  service: Service,
  exchange: Exchange | undefined,
  response: ServerResponse,
): void {
  const { socket } = response;
  if (!socket || socket.writableLength === 0) return;
  if (exchange) {
    const seat = seatOf(service, exchange);
    if (!seat) return void socket.destroy();
    response.once("close", () => seat.leave());
  }
  // Node resets the timer while bytes leave the socket, and sets its own one after the answer.
  response.setTimeout(service.engine.limits.slowReader, () => {
    service.engine.metrics.count("slow");
    socket.destroy();
  });
}

function seatOf(service: Service, exchange: Exchange): Seat | undefined {
  try {
    return takeSeat(service, exchange);
  } catch {
    return undefined;
  }
}

/** The answer to give on a stream of HTTP/2: a refusal if the peer leaves too much on its connection untaken. */
export function boundedAnswer(service: Service, stream: ServerHttp2Stream, answer: WholeAnswer): WholeAnswer {
  const session: CountedSession | undefined = stream.session;
  if (!session || answer.body === "") return answer;
  const untaken = session[UNTAKEN] ?? 0;
  const length = bodyLength(answer.body);
  if (untaken + length > MOST_UNTAKEN && length > SMALL) {
    service.engine.metrics.count("refused", "overloaded");
    const problem = `This connection has ${untaken} bytes of answers that were not taken.`;
    return problemAnswer(new PartylineError("overloaded", problem, { retryAfter: RETRY_AFTER }));
  }
  session[UNTAKEN] = untaken + length;
  stream.once("close", () => void (session[UNTAKEN] = (session[UNTAKEN] ?? 0) - length));
  return answer;
}

/** As {@link watchAnswer}, for a stream of HTTP/2: other streams of its connection go on. */
export function watchStream(service: Service, stream: ServerHttp2Stream): void {
  if (stream.destroyed) return;
  stream.setTimeout(service.engine.limits.slowReader, () => {
    service.engine.metrics.count("slow");
    const { session } = stream;
    stream.close(constants.NGHTTP2_CANCEL);
    // If the connection itself takes nothing, the stream can't be closed by a frame on it.
    const timer = setTimeout(() => session?.destroy(), GRACE_MS);
    timer.unref();
    stream.once("close", () => clearTimeout(timer));
  });
}
