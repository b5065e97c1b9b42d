import type { IncomingMessage, ServerResponse } from "node:http";
import type {
  Http2ServerRequest,
  Http2ServerResponse,
  OutgoingHttpHeaders,
  ServerHttp2Stream,
} from "node:http2";
import { endWithBody } from "./answer-body.ts";
import { contentHeaders } from "./answers.ts";
import { type BodyRules, bodyTooLarge, collectBody, readBefore, type TakeBody } from "./body.ts";
import { type Answer, bearerToken, type Exchange } from "./exchange.ts";
import { type HeaderList, streamHeaders } from "./headers.ts";
import { headerText } from "./node-exchange.ts";
import type { Route } from "./routes.ts";

/** A request as a server of Node's gives it: over HTTP/1.1, or over HTTP/2 by its compatibility layer. */
export type NodeRequest = IncomingMessage | Http2ServerRequest;
/** What belongs to a {@link NodeRequest}. */
export type NodeResponse = ServerResponse | Http2ServerResponse;

/** Decided by the object: the version of HTTP/1.1 is a word of the peer's, `GET / HTTP/2.0`. */
export function isHttp2(request: NodeRequest): request is Http2ServerRequest {
  const { stream } = request as Partial<Http2ServerRequest>;
  return typeof stream?.respond === "function";
}

/**
 * A request over HTTP/2. Body and answer go by the stream itself and not by the compatibility layer, which takes a
 * body that was cut off for one that has ended.
 */
export class Http2Exchange implements Exchange {
  readonly #request: Http2ServerRequest;
  readonly #stream: ServerHttp2Stream;
  readonly route: Route;
  readonly query: string;
  readonly address: string | undefined;
  readonly #expecting: boolean;

  constructor(
    request: Http2ServerRequest,
    route: Route,
    query: string,
    more: { readonly address: string | undefined; readonly expecting: boolean },
  ) {
    this.#request = request;
    this.#stream = request.stream;
    this.route = route;
    this.query = query;
    this.address = more.address;
    this.#expecting = more.expecting;
  }

  hideCookies(): void {
    this.#request.headers.cookie = undefined;
  }

  get method(): string {
    return this.#request.method;
  }

  get token(): string | undefined {
    return bearerToken(this.header("authorization"));
  }

  header(name: string): string | undefined {
    const { headers } = this.#request;
    // Who sends both means the same by them (RFC 9113, section 8.3.1), and the first is what was connected to.
    if (name === "host") return headerText(headers, ":authority") ?? headerText(headers, name);
    return headerText(headers, name);
  }

  readBody(rules: BodyRules, take: TakeBody): void {
    const stream = this.#stream;
    const { limit } = rules;
    if (Number(this.header("content-length") ?? 0) > limit) return take(bodyTooLarge(limit));
    const before = readBefore(this.#request, limit);
    if (before) return take(before);
    if (this.#expecting) stream.additionalHeaders({ ":status": 100 });
    // A stream that was reset ends too; one that is only half closed by its peer is not closed before it is answered.
    const isWhole = (): boolean => !stream.closed && !stream.destroyed;
    collectBody({ stream, connection: stream.session ?? stream, isWhole }, rules, take);
  }

  onGone(listener: () => void): void {
    this.#stream.once("close", listener);
  }
}

/** Gives an answer on a stream of HTTP/2; a body that was not read is not waited for, as Node sees to. */
export function answerHttp2(request: Http2ServerRequest, answer: Answer, headers: HeaderList): void {
  const { stream } = request;
  const gone = stream.closed || stream.destroyed;
  if (answer.is === "stream") {
    if (gone) return answer.connection.abandon();
    stream.respond(toFields(200, [...headers, ...streamHeaders(answer)]));
    return answer.connection.begin(stream, answer.gzip);
  }
  if (gone) return;
  const fields = toFields(answer.status, [...headers, ...answer.headers, ...contentHeaders(answer)]);
  const bodyless = request.method === "HEAD" || answer.body === "";
  stream.respond(fields, { endStream: bodyless });
  if (!bodyless) endWithBody(stream, answer.body);
}

function toFields(status: number, list: HeaderList): OutgoingHttpHeaders {
  const fields: OutgoingHttpHeaders = { ":status": status };
  for (let index = 0; index + 1 < list.length; index += 2)
    fields[(list[index] ?? "").toLowerCase()] = list[index + 1];
  return fields;
}
