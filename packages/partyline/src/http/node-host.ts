import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import type { Duplex } from "node:stream";
import { ERRORS } from "../protocol/errors.ts";
import { endWithBody } from "./answer-body.ts";
import {
  afterEarlier,
  inTurn,
  boundedAnswer,
  countIgnored,
  newestResponse,
  type QueuedSocket,
  watchAnswer,
  watchStream,
} from "./answer-queue.ts";
import { contentHeaders } from "./answers.ts";
import { type Answer, type Exchange, NO_HEADERS, type StreamAnswer } from "./exchange.ts";
import { type Gate, passGate } from "./gate.ts";
import { baseHeaders, type HeaderList, streamHeaders } from "./headers.ts";
import { answerHttp2, Http2Exchange, isHttp2, type NodeRequest, type NodeResponse } from "./http2.ts";
import { fail, guard, lead, type Outlet, type Peer } from "./lead.ts";
import { NodeExchange } from "./node-exchange.ts";
import { destroyThis, rawHead, writeRawAnswer } from "./raw-answer.ts";
import {
  beginsStream,
  markOrdinaryStream,
  type MarkedSocket,
  markStream,
  streamMark,
} from "../transports/stream-request.ts";
import { readTarget } from "./request-head.ts";
import { type Route, splitTarget } from "./routes.ts";
import type { Service } from "./service.ts";

/** How a host differs from others of the same service. */
export interface HostOptions {
  readonly gate: Gate;
  /** Are other origins allowed at all? */
  readonly cross: boolean;
  /** Whether peers can only be on this machine; then their addresses need not be asked for. */
  readonly loopback: () => boolean;
}

const CHUNKED: HeaderList = ["Transfer-Encoding", "chunked"];

type Socket = MarkedSocket & QueuedSocket;

/** A request for one of our paths. */
interface Asked<Request> {
  readonly request: Request;
  readonly route: Route;
  readonly query: string;
  readonly expecting: boolean;
}

/** Requests of Node's `http`: those of our paths are answered, of others it keeps its hands off. */
export class NodeHost {
  readonly service: Service;
  readonly #options: HostOptions;
  readonly #base: HeaderList;
  readonly #admit: Outlet["admit"];

  constructor(service: Service, options: HostOptions) {
    this.service = service;
    this.#options = options;
    this.#base = baseHeaders(options.cross);
    this.#admit = (exchange) => this.admit(exchange);
  }

  /** What this URL stands for, where it is one of ours. */
  readonly routeOf = (url: string): Route["is"] | undefined => this.service.router(splitTarget(url).path)?.is;

  /** False where the path is none of ours: nothing was done. */
  request(request: NodeRequest, response: NodeResponse, expecting: boolean): boolean {
    if (!isHttp2(request) && isBehindStream(request)) return true;
    const { path, query } = isHttp2(request) ? splitTarget(request.url) : readTarget(request);
    const route = this.service.router(path);
    if (!route) return false;
    if (isHttp2(request)) {
      const { stream } = request;
      inTurn(this.service.engine.work, () => {
        // It may have been reset meanwhile.
        if (stream.closed || stream.destroyed) return;
        guard(this.service, () => this.#http2({ request, route, query, expecting }), stream);
      });
    } else {
      const own = response as ServerResponse;
      try {
        this.#http1({ request, route, query, expecting }, own);
      } catch (error) {
        fail(this.service, error, own);
      }
    }
    return true;
  }

  #http2({ request, route, query, expecting }: Asked<Http2ServerRequest>): void {
    const exchange = new Http2Exchange(request, route, query, { address: this.address(request), expecting });
    const { stream } = request;
    this.#lead(exchange, stream, (answer, headers) => {
      if (answer.is === "stream") answerHttp2(request, answer, headers);
      else {
        answerHttp2(request, boundedAnswer(this.service, stream, answer), headers);
        watchStream(this.service, stream);
      }
      // What is under way on the connection goes on; the next request is to find its way to another server.
      if (this.service.phase.is !== "serving") request.stream.session?.close();
    });
  }

  #http1({ request, route, query, expecting }: Asked<IncomingMessage>, response: ServerResponse): void {
    const socket: Socket = request.socket;
    const streams = beginsStream(request, route.is);
    if (streams) markOrdinaryStream(request);
    const address = this.address(request);
    const exchange = new NodeExchange(request, route, query, { address, response, expecting });
    const write = (answer: Answer, headers: HeaderList): void => {
      if (!streams || answer.is === "stream") return this.#answer(exchange, response, answer, headers);
      // It is no stream after all: what comes now is a request again, unless one was ignored.
      const passed = streamMark(socket) === "passed";
      if (!passed) markStream(socket, undefined);
      this.#answer(exchange, response, answer, passed ? [...headers, "Connection", "close"] : headers);
    };
    afterEarlier(this.service.engine.work, socket, response, () => {
      try {
        this.#lead(exchange, response, write);
      } catch (error) {
        fail(this.service, error, response);
      }
    });
  }

  /** `write` is given the headers that every answer to this request carries. */
  #lead(exchange: Exchange, peer: Peer, write: Outlet["write"]): void {
    lead(this.service, exchange, { base: this.#base, admit: this.#admit, write, peer });
  }

  /** What the request's answer carries, where the gate lets it pass. @throws PartylineError */
  admit(exchange: Exchange): HeaderList {
    exchange.checkHead?.();
    // Load balancers ask by address, and are told nothing that a stranger may not know.
    if (exchange.route.is === "probe") return this.#base;
    return passGate(this.#options.gate, exchange, this.#base);
  }

  get base(): HeaderList {
    return this.#base;
  }

  address(request: NodeRequest): string | undefined {
    return this.#options.loopback() ? undefined : request.socket.remoteAddress;
  }

  #answer(exchange: NodeExchange, response: ServerResponse, answer: Answer, headers: HeaderList): void {
    if (answer.is === "stream") return this.#stream(response, answer, headers);
    if (response.destroyed) return;
    // The next request is to find its way to another server; and nobody waits for the rest of a body that was too slow.
    const leaves = this.service.phase.is !== "serving" || answer.status === ERRORS["body-timeout"].status;
    const all = [...headers, ...answer.headers, ...contentHeaders(answer)];
    if (exchange.unsafe || leaves) all.push("Connection", "close");
    response.writeHead(answer.status, all);
    endWithBody(response, exchange.method === "HEAD" ? "" : answer.body);
    watchAnswer(this.service, exchange, response);
  }

  /** The ordinary way: through the response. */
  #stream(response: ServerResponse, answer: StreamAnswer, headers: HeaderList): void {
    const { connection, gzip } = answer;
    const { socket, req } = response;
    if (response.destroyed || req.socket.destroyed) return connection.abandon();
    if (!socket) return this.#streamLater(response, answer, headers);
    // `server.timeout` is for requests; a stream has limits of its own.
    socket.setTimeout(0);
    response.writeHead(200, [...headers, ...streamHeaders(answer), "Connection", "close"]);
    response.flushHeaders();
    connection.begin(response, gzip);
  }

  /** Requests before this one on its connection are not answered yet. */
  #streamLater(response: ServerResponse, answer: StreamAnswer, headers: HeaderList): void {
    const { req } = response;
    const gone = (): void => answer.connection.abandon();
    req.socket.once("close", gone);
    response.once("socket", () => {
      req.socket.removeListener("close", gone);
      guard(this.service, () => this.#stream(response, answer, headers), response);
    });
  }

  /** A stream that Node has handed over as a bare socket. */
  upgradedStream(request: IncomingMessage, socket: Duplex, route: Route, query: string): void {
    socket.on("end", destroyThis);
    // Else its end would never be seen; what comes from the peer is dropped.
    socket.resume();
    const exchange = new NodeExchange(request, route, query, { address: this.address(request) });
    this.#lead(exchange, socket, (answer, headers) => {
      if (answer.is === "whole") return writeRawAnswer(socket, answer, headers, exchange.method);
      if (socket.destroyed) return answer.connection.abandon();
      // HTTP/1.0 knows no chunks: the stream ends with the connection.
      const chunked = request.httpVersionMinor > 0;
      const framing = chunked ? CHUNKED : NO_HEADERS;
      // Head and first event leave in one write.
      socket.cork();
      socket.write(rawHead(200, [...headers, ...streamHeaders(answer), ...framing]));
      answer.connection.begin(socket, answer.gzip, chunked);
      socket.uncork();
    });
  }
}

/**
 * Whether a request was sent behind that of a stream on its connection. It is not executed: its answer could not come
 * before the stream's end, with which the connection ends.
 */
function isBehindStream(request: IncomingMessage): boolean {
  if (streamMark(request.socket) === undefined) return false;
  countIgnored(request.socket);
  markStream(request.socket, "passed");
  request.resume();
  return true;
}

/** An upgrade behind the stream of a response: Node has handed over the socket, which is the stream's. */
export function keepStream(socket: Socket): void {
  const stream = newestResponse(socket);
  // Node listens to none of its events any more, and an error without a listener would end the process.
  socket.on("error", destroyThis).on("end", destroyThis).resume();
  socket.on("drain", () => stream?.emit("drain")).once("close", () => stream?.destroy());
  // It may have been paused when it was handed over, and Node still takes it for one that is being read: an empty push
  // ends that read, and begins the next.
  socket.push("");
}
