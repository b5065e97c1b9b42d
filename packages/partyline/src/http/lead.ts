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
  /** Ends the connection or the stream of the request: an answer can't be written whole. */
  abort(): void;
}

/**
 * Leads a request through the gate to its handler, and the answer to its outlet: at most one. Nothing that is thrown on
 * the way leaves this function, or a callback that it has given away: it would end the process.
 */
export function lead(service: Service, exchange: Exchange, outlet: Outlet): void {
  let headers = outlet.base;
  let answered = false;
  const reply = (answer: Answer): void => {
    const leave = (): void => {
      if (answer.is === "stream") guard(service, () => answer.connection.destroy(), ignore);
    };
    // A handler that failed after its answer: the failure is logged already.
    if (answered) return leave();
    answered = true;
    const abort = (): void => {
      leave();
      outlet.abort();
    };
    guard(service, () => outlet.write(answer, headers), abort);
  };
  try {
    headers = outlet.admit(exchange);
  } catch (error) {
    return reply(refusal(service, exchange, error));
  }
  handle(service, exchange, reply);
}

/** Runs a listener of a host's events; what it throws is logged, and ends what the event was about. */
export function guard(service: Service, run: () => void, abort: () => void): void {
  try {
    run();
  } catch (error) {
    service.engine.failures.report("a request failed", error);
    abort();
  }
}

function ignore(): void {}
