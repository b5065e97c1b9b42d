import type { Pace } from "../core/ports.ts";
import { PartylineError, toPartylineError } from "../protocol/errors.ts";
import { parseMaxRate } from "../protocol/max-rate.ts";
import { RETRY } from "../transports/raw-sse.ts";
import type { Guest } from "../transports/registry.ts";
import type { Seat } from "../transports/seat.ts";
import type { StreamConnection } from "../transports/stream-connection.ts";
import { asksForStream } from "../transports/stream-request.ts";
import type { Surroundings } from "../transports/surroundings.ts";
import type { Admission } from "./admission.ts";
import { problemAnswer, streamEndAnswer } from "./answers.ts";
import type { AttachRate } from "./attach-rate.ts";
import { comeBack, type Drain } from "./drain.ts";
import { acceptsGzip } from "./accepts-gzip.ts";
import type { Exchange, StreamAnswer, WholeAnswer } from "./exchange.ts";
import type { Bodies } from "./bodies.ts";
import type { Router } from "./routes.ts";

/** What the handlers of one server share. */
export interface Service extends Surroundings {
  readonly router: Router;
  readonly admission: Admission;
  readonly attaches: AttachRate;
  readonly bodies: Bodies;
  /** Messages of errors in the application's setup that were logged: each is logged once. */
  readonly logged: Set<string>;
  /** Long polls under way. */
  readonly polls: Set<Guest>;
  /** From 0 to below 1, for jitter only. */
  readonly random: () => number;
  phase: Phase;
}

/**
 * `draining`: nobody is let in any more, whoever is there is served until it leaves. `closed`: nothing is begun.
 */
export type Phase =
  { readonly is: "serving" } | { readonly is: "draining"; readonly drain: Drain } | { readonly is: "closed" };

/** The methods of each route, as `Allow` names them. */
export const METHODS: Readonly<Record<Exchange["route"]["is"], string>> = {
  channel: "GET, HEAD, POST, DELETE, OPTIONS",
  events: "GET, HEAD, OPTIONS",
  connect: "POST, OPTIONS",
  probe: "GET, HEAD",
};

/** Tells a refusal, and counts it; the one place where whatever was thrown becomes an answer. */
export function refusal(service: Service, exchange: Exchange, thrown: unknown): WholeAnswer {
  const error = toPartylineError(thrown);
  service.engine.metrics.count("refused", error.code);
  if (error.code === "internal") service.engine.failures.report("a request failed", error.cause ?? error);
  if (error.code === "misconfigured" && !service.logged.has(error.message)) {
    service.logged.add(error.message);
    service.engine.logger.error(error.message, { remedy: error.remedy });
  }
  // A native EventSource never comes back after a status other than 200.
  if (error.status === 503 && isEventSource(exchange))
    return streamEndAnswer(error, error.retryAfter === undefined ? RETRY : error.retryAfter * 1_000);
  return problemAnswer(error, error.code === "wrong-method" ? ["Allow", METHODS[exchange.route.is]] : []);
}

function isEventSource(exchange: Exchange): boolean {
  return (
    exchange.method === "GET" && exchange.route.is !== "probe" && asksForStream(exchange.header("accept"))
  );
}

/** A stream, compressed where the peer takes that. */
export function streamAnswer(
  { compression }: Service,
  exchange: Exchange,
  connection: StreamConnection,
): StreamAnswer {
  const gzip =
    compression && acceptsGzip(exchange.header("accept-encoding")) ? compression.stream : undefined;
  return { is: "stream", connection, gzip };
}

/**
 * A place for a connection that stays.
 *
 * @throws PartylineError `too-many-connections`
 */
export function takeSeat(service: Service, exchange: Exchange): Seat {
  return service.admission.enter(exchange.address, exchange.header("x-forwarded-for") !== undefined);
}

/** @throws PartylineError `draining` where nothing is begun any more. */
export function mustBeOpen(service: Service): void {
  if (service.phase.is === "closed") throw goingAway(service);
}

/**
 * Lets a reader who comes anew attach so many channels.
 *
 * @throws PartylineError `draining`, `overloaded`
 */
export function admitAttaches(service: Service, count: number): void {
  const { engine, phase, random } = service;
  if (phase.is !== "serving") throw goingAway(service);
  if (count === 0) return;
  const wait = service.attaches.take(count, engine.clock.now(), random);
  engine.metrics.count(wait === 0 ? "arrived" : "postponed", "", count);
  if (wait === 0) return;
  const { attachesPerSecond } = engine.limits;
  throw new PartylineError("overloaded", `More than ${attachesPerSecond} attaches a second.`, {
    retryAfter: Math.ceil(wait * 1_000) / 1_000,
  });
}

/** One more channel on a connection; where nobody is let in any more, the connection's moment to leave is now. */
export function admitAttach(service: Service, guest: Guest): void {
  try {
    admitAttaches(service, 1);
  } finally {
    if (service.phase.is === "draining") service.phase.drain.ask(guest);
  }
}

/** Why a server that goes away refuses; each is told a time of its own to come back. */
export function goingAway({ random }: Pick<Service, "random">): PartylineError {
  return new PartylineError("draining", "This server is going away.", {
    retryAfter: comeBack(random) / 1_000,
  });
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

/** What a URL asks for by `maxRate`. @throws PartylineError `bad-limit` */
export function paceOf(query: URLSearchParams | undefined): Pace | undefined {
  const maxRate = parseMaxRate(query?.get("maxRate"));
  return maxRate === undefined ? undefined : { maxRate, delay: 0 };
}
