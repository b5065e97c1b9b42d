import type { Answer, Exchange } from "./exchange.ts";
import { handle } from "./handle.ts";
import type { HeaderList } from "./headers.ts";
import { refusal, type Service } from "./service.ts";

/** Where the answer to one request goes. */
export interface Outlet {
  /** Headers that every answer of this host carries. */
  readonly base: HeaderList;
  /** Lets the request pass, with the headers of its answer. @throws PartylineError */
  admit(exchange: Exchange): HeaderList;
  write(answer: Answer, headers: HeaderList): void;
  /** Ended if an answer can't be written whole. */
  readonly peer: Peer;
}

/** The connection or the stream of one request. */
export interface Peer {
  destroy(): unknown;
}

/**
 * Leads a request through the gate to its handler, and the answer to its outlet: at most one. Nothing that is thrown on
 * the way leaves this function, or a callback that it has given away: it would end the process.
 */
export function lead(service: Service, exchange: Exchange, outlet: Outlet): void {
  let headers = outlet.base;
  let answered = false;
  const reply = (answer: Answer): void => {
    // A handler that failed after its answer: the failure is logged already.
    if (answered) return abandon(service, answer);
    answered = true;
    try {
      outlet.write(answer, headers);
    } catch (error) {
      abandon(service, answer);
      fail(service, error, outlet.peer);
    }
  };
  try {
    headers = outlet.admit(exchange);
  } catch (error) {
    return reply(refusal(service, exchange, error));
  }
  handle(service, exchange, reply);
}

/** Ends the stream of an answer that is not written. */
function abandon(service: Service, answer: Answer): void {
  if (answer.is === "stream") guard(service, () => answer.connection.destroy(), NOBODY);
}

/** Runs a listener of a host's events; what it throws is logged, and ends what the event was about. */
export function guard(service: Service, run: () => void, peer: Peer): void {
  try {
    run();
  } catch (error) {
    fail(service, error, peer);
  }
}

/** Logs what was thrown while a request was handled, and ends its peer. */
export function fail(service: Service, error: unknown, peer: Peer): void {
  service.engine.failures.report("a request failed", error);
  peer.destroy();
}

/** For a failure after which nothing is left to end. */
export const NOBODY: Peer = { destroy: () => undefined };
