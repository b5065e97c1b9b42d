import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { PartylineError } from "../protocol/errors.ts";
import { createIncomingMessageClass } from "../transports/stream-request.ts";
import { problemAnswer } from "./answers.ts";
import type { WholeAnswer } from "./exchange.ts";
import type { NodeHost } from "./node-host.ts";
import { writeRawAnswer } from "./raw-answer.ts";
import type { Upgrades } from "./upgrades.ts";

/** A path that is none of ours, where nobody else is asked. */
function unknownPath(host: NodeHost, request: IncomingMessage): WholeAnswer {
  const path = JSON.stringify((request.url ?? "").slice(0, 120));
  host.service.engine.metrics.count("refused", "unknown-path");
  return problemAnswer(new PartylineError("unknown-path", `There is nothing at ${path}.`));
}

/** Answers such a request. */
export function answerUnknown(host: NodeHost, request: IncomingMessage, response: ServerResponse): void {
  const { status, type, body, headers } = unknownPath(host, request);
  response.writeHead(status, [
    ...[...host.base, ...headers, "Content-Type", type ?? ""],
    ...["Content-Length", String(Buffer.byteLength(body))],
  ]);
  response.end(request.method === "HEAD" ? undefined : body);
}

/** A server of our own: everything that it is asked is ours to answer. */
export function createOwnServer(host: NodeHost, upgrades: Upgrades): Server {
  const answer = (request: IncomingMessage, response: ServerResponse, expecting: boolean): void => {
    if (!host.request(request, response, expecting)) answerUnknown(host, request, response);
  };
  const server = createServer({ IncomingMessage: createIncomingMessageClass(host.owns) });
  server.on("request", (request, response) => answer(request, response, false));
  server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) =>
    answer(request, response, true),
  );
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (!upgrades.upgrade(request, socket, head))
      writeRawAnswer(socket, unknownPath(host, request), host.base);
  });
  server.on("clientError", (error: Error & { code?: string }, socket: Duplex) => {
    refuseMalformed(error.code, socket, host);
  });
  return server;
}

/** What Node could not parse has no request to answer. */
function refuseMalformed(code: string | undefined, socket: Duplex, host: NodeHost): void {
  if (!socket.writable || code === "ECONNRESET") return void socket.destroy();
  if (code === "HPE_HEADER_OVERFLOW") {
    const error = new PartylineError("headers-too-large", "The request's headers are too large.");
    return writeRawAnswer(socket, problemAnswer(error), host.base);
  }
  const status = code === "ERR_HTTP_REQUEST_TIMEOUT" ? "408 Request Timeout" : "400 Bad Request";
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
}
