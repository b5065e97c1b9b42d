import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { Credentials } from "../core/ports.ts";
import {
  type BodyRules,
  bodyTooLarge,
  collectBody,
  DROPPED_BYTES,
  readBefore,
  type TakeBody,
} from "./body.ts";
import { bearerToken, type Exchange } from "./exchange.ts";
import { checkHead } from "./request-head.ts";
import type { Route } from "./routes.ts";

/** What else Node knows of a request. */
interface NodeSurroundings {
  readonly address?: string | undefined;
  /** Absent where the socket was handed over bare. */
  readonly response?: ServerResponse;
  readonly expecting?: boolean;
}

/** A request as Node's `http` gives it. */
export class NodeExchange implements Exchange {
  readonly #request: IncomingMessage;
  readonly route: Route;
  readonly query: string;
  readonly address: string | undefined;
  readonly #response: ServerResponse | undefined;
  /** Is there an `Expect: 100-continue` to be answered before the body comes? */
  readonly #expecting: boolean;
  #faulty = false;

  constructor(request: IncomingMessage, route: Route, query: string, more: NodeSurroundings) {
    this.#request = request;
    this.route = route;
    this.query = query;
    this.address = more.address;
    this.#response = more.response;
    this.#expecting = more.expecting === true;
  }

  hideCookies(): void {
    this.#request.headers.cookie = undefined;
  }

  checkHead(): void {
    try {
      checkHead(this.#request);
    } catch (error) {
      this.#faulty = true;
      throw error;
    }
  }

  get method(): string {
    return this.#request.method ?? "GET";
  }

  get token(): string | undefined {
    return bearerToken(this.#request.headers.authorization);
  }

  header(name: string): string | undefined {
    return headerText(this.#request.headers, name);
  }

  /**
   * Whether the connection is not kept: the head is at fault, or announces more of a body than is read and dropped.
   */
  get unsafe(): boolean {
    return this.#faulty || Number(this.#request.headers["content-length"] ?? 0) > DROPPED_BYTES;
  }

  readBody(rules: BodyRules, take: TakeBody): void {
    const request = this.#request;
    const { limit } = rules;
    if (Number(request.headers["content-length"] ?? 0) > limit) return take(bodyTooLarge(limit));
    const before = readBefore(request, limit);
    if (before) return take(before);
    if (this.#expecting) this.#response?.writeContinue();
    const { socket: connection } = request;
    collectBody({ stream: request, connection, isWhole: () => request.complete }, rules, take);
    // Begun before there is anything to read, a request hands on what comes without keeping it first, and Node need not
    // look at the end whether anybody reads: 3 of the 22 µs of JavaScript that a small POST costs.
    request.read(0);
  }

  onGone(listener: () => void): void {
    // `server.timeout`; it holds again from the next request on.
    this.#response?.setTimeout(0).once("close", listener);
  }

  /** What is needed where credentials are kept: the headers, and not the request with all that belongs to it. */
  credentials(): Credentials {
    return new HeaderCredentials(this.#request.headers);
  }
}

class HeaderCredentials implements Credentials {
  readonly #headers: IncomingHttpHeaders;

  constructor(headers: IncomingHttpHeaders) {
    this.#headers = headers;
  }

  get token(): string | undefined {
    return bearerToken(this.#headers.authorization);
  }

  header(name: string): string | undefined {
    return headerText(this.#headers, name);
  }
}

/** The value of a header, where several values are one. */
export function headerText(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === "object" ? value.join(", ") : value;
}
