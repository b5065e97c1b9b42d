import { PartylineError } from "../protocol/errors.ts";
import { asksForStream } from "../transports/stream-request.ts";
import { emptyAnswer, probeAnswer } from "./answers.ts";
import { connect } from "./connect.ts";
import type { Exchange, Reply } from "./exchange.ts";
import { preflightHeaders } from "./headers.ts";
import { history } from "./history.ts";
import { publish, remove } from "./publish.ts";
import { METHODS, mustBeOpen, refusal, type Service } from "./service.ts";
import { channelStream, eventsStream } from "./streams.ts";

/** Answers a request that has passed the gate; never throws, and calls `reply` once. */
export function handle(service: Service, exchange: Exchange, reply: Reply): void {
  try {
    if (exchange.method === "OPTIONS" && exchange.route.is !== "probe") return reply(optionsAnswer(exchange));
    if (exchange.route.is !== "probe") mustBeOpen(service);
    dispatch(service, exchange, reply);
  } catch (error) {
    reply(refusal(service, exchange, error));
  }
}

function dispatch(service: Service, exchange: Exchange, reply: Reply): void {
  const { route, method } = exchange;
  const reads = method === "GET" || method === "HEAD";
  switch (route.is) {
    case "channel":
      if (method === "POST") return publish(service, exchange, route.name, reply);
      if (method === "DELETE") return remove(service, exchange, route.name, reply);
      if (!reads) break;
      // A HEAD has no stream to wait for.
      if (method === "GET" && asksForStream(exchange.header("accept")))
        return channelStream(service, exchange, route.name, reply);
      return history(service, exchange, route.name, reply);
    case "events":
      if (method === "GET") return eventsStream(service, exchange, reply);
      if (method === "HEAD") return reply(emptyAnswer([]));
      break;
    case "connect":
      if (method === "POST") return connect(service, exchange, reply);
      break;
    case "probe": {
      const { is } = service.phase;
      if (reads) return reply(probeAnswer(is, route.asks === "live" || is === "serving"));
      break;
    }
  }
  throw new PartylineError("wrong-method", `${method.slice(0, 20)} has no meaning here.`, {
    remedy: `Use ${METHODS[route.is]}.`,
  });
}

function optionsAnswer(exchange: Exchange): ReturnType<typeof emptyAnswer> {
  const methods = METHODS[exchange.route.is];
  const preflight =
    exchange.header("access-control-request-method") === undefined
      ? []
      : preflightHeaders(methods, exchange.header("access-control-request-headers"));
  return emptyAnswer(["Allow", methods, ...preflight]);
}
