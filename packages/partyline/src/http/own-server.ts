import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Server as NetServer } from "node:net";
import type { Duplex } from "node:stream";
import { PartylineError, toPartylineError } from "../protocol/errors.ts";
import { createIncomingMessageClass } from "../transports/stream-request.ts";
import { afterEarlier, inTurn, watchAnswer } from "./answer-queue.ts";
import { endWithBody } from "./answer-body.ts";
import { contentHeaders, problemAnswer } from "./answers.ts";
import type { WholeAnswer } from "./exchange.ts";
import { answerHttp2, isHttp2, type NodeRequest, type NodeResponse } from "./http2.ts";
import { guard } from "./lead.ts";
import type { NodeHost } from "./node-host.ts";
import { writeRawAnswer } from "./raw-answer.ts";
import { checkHead } from "./request-head.ts";
import { CHECK_INTERVAL_MS, TIMEOUTS } from "./timeouts.ts";
import type { Upgrades } from "./upgrades.ts";

/** A server on a port of its own. */
export interface OwnServer {
  readonly server: NetServer;
  /** Listens no longer, and lets go of connections on which nothing is under way; resolves when none is left. */
  close(): Promise<void>;
  /** Ends the connections that are left. */
  destroy(): void;
}

/** The answer to a path that is none of ours, if nobody else is asked. */
function unknownPath({ service }: NodeHost, request: NodeRequest): WholeAnswer {
  const path = JSON.stringify((request.url ?? "").slice(0, 120));
  let error = new PartylineError("unknown-path", `There is nothing at ${path}.`);
  try {
    if (!isHttp2(request)) checkHead(request);
  } catch (fault) {
    error = toPartylineError(fault);
  }
  service.engine.metrics.count("refused", error.code);
  return problemAnswer(error);
}

/** Answers such a request. */
export function answerUnknown(host: NodeHost, request: NodeRequest, response: NodeResponse): void {
  const { service } = host;
  const { work } = service.engine;
  const answer = (): void => guard(service, () => answerUnknownNow(host, request, response), request.socket);
  if (isHttp2(request)) inTurn(work, answer);
  else afterEarlier(work, request.socket, response as ServerResponse, answer);
}

function answerUnknownNow(host: NodeHost, request: NodeRequest, response: NodeResponse): void {
  const answer = unknownPath(host, request);
  if (isHttp2(request)) return answerHttp2(request, answer, host.base);
  const own = response as ServerResponse;
  const all = [...host.base, ...answer.headers, ...contentHeaders(answer)];
  // A head at fault: what follows on the connection may be read differently on the way.
  if (answer.status !== 404) all.push("Connection", "close");
  own.writeHead(answer.status, all);
  endWithBody(own, request.method === "HEAD" ? "" : answer.body);
  watchAnswer(host.service, undefined, own);
}

/** A server of our own over plain HTTP/1.1. */
export function createOwnServer(host: NodeHost, upgrades: Upgrades): OwnServer {
  const server = createServer({
    IncomingMessage: createIncomingMessageClass(host.routeOf),
    connectionsCheckingInterval: CHECK_INTERVAL_MS,
    ...TIMEOUTS,
  });
  listenTo(server, host, upgrades);
  return {
    server,
    close: () => new Promise((resolve) => server.close(() => resolve())),
    destroy: () => server.closeAllConnections(),
  };
}

/** Everything that a server of our own is asked is ours to answer. */
export function listenTo(server: NetServer, host: NodeHost, upgrades: Upgrades): void {
  const { service } = host;
  const answer = (request: NodeRequest, response: NodeResponse, expecting: boolean): void => {
    if (!host.request(request, response, expecting)) answerUnknown(host, request, response);
  };
  server.on("request", (request: NodeRequest, response: NodeResponse) => answer(request, response, false));
  server.on("checkContinue", (request: NodeRequest, response: NodeResponse) =>
    answer(request, response, true),
  );
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (upgrades.upgrade(request, socket, head)) return;
    guard(
      service,
      () => writeRawAnswer(socket, unknownPath(host, request), host.base, request.method),
      socket,
    );
  });
  server.on("clientError", (error: Error & { code?: string }, socket: Duplex) => {
    guard(service, () => refuseMalformed(error.code, socket, host), socket);
  });
}

/** What Node could not parse has no request to answer. */
function refuseMalformed(code: string | undefined, socket: Duplex, host: NodeHost): void {
  if (!socket.writable || code === "ECONNRESET") return void socket.destroy();
  if (code === "HPE_HEADER_OVERFLOW") {
    const error = new PartylineError("headers-too-large", "The request's headers are too large.");
    return writeRawAnswer(socket, problemAnswer(error), host.base, undefined);
  }
  const status = code === "ERR_HTTP_REQUEST_TIMEOUT" ? "408 Request Timeout" : "400 Bad Request";
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
}
