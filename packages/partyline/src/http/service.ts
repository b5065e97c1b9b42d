import { PartylineError, toPartylineError } from "../protocol/errors.ts";
import type { Seat } from "../transports/seat.ts";
import type { Surroundings } from "../transports/surroundings.ts";
import type { Admission } from "./admission.ts";
import { problemAnswer } from "./answers.ts";
import type { Exchange, WholeAnswer } from "./exchange.ts";
import type { Router } from "./routes.ts";

/** What the handlers of one server share. */
export interface Service extends Surroundings {
  readonly router: Router;
  readonly admission: Admission;
  /** Long polls under way: each is ended by calling it. */
  readonly polls: Set<(reason: PartylineError) => void>;
  /** The server is ending: nothing new is begun. */
  draining: boolean;
}

/** The methods of each route, as `Allow` names them. */
export const METHODS: Readonly<Record<Exchange["route"]["is"], string>> = {
  channel: "GET, HEAD, POST, DELETE, OPTIONS",
  events: "GET, HEAD, OPTIONS",
  connect: "POST, OPTIONS",
};

/** Tells a refusal, and counts it; the one place where whatever was thrown becomes an answer. */
export function refusal(service: Service, exchange: Pick<Exchange, "route">, thrown: unknown): WholeAnswer {
  const error = toPartylineError(thrown);
  service.engine.metrics.count("refused", error.code);
  if (error.code === "internal")
    service.engine.logger.error("a request failed", { error: String(error.cause) });
  return problemAnswer(error, error.code === "wrong-method" ? ["Allow", METHODS[exchange.route.is]] : []);
}

/**
 * A place for a connection that stays.
 *
 * @throws PartylineError `too-many-connections`
 */
export function takeSeat(service: Service, exchange: Exchange): Seat {
  return service.admission.enter(exchange.address, exchange.header("x-forwarded-for") !== undefined);
}

/** @throws PartylineError `draining` */
export function mustNotDrain(service: Service): void {
  if (service.draining) throw new PartylineError("draining", "This server is ending.", { retryAfter: 1 });
}

/** @throws PartylineError `bad-limit` where it is no whole number within the bounds. */
export function wholeNumber(name: string, text: string, least: number, most: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : -1;
  if (value < least || value > most)
    throw new PartylineError(
      "bad-limit",
      `\`${name}\` is a whole number from ${least} to ${most}: ${JSON.stringify(text.slice(0, 40))}.`,
    );
  return value;
}
