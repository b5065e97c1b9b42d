import { PassThrough } from "node:stream";
import { PartylineError } from "../protocol/errors.ts";
import { bodyLength, joinBody } from "./answer-body.ts";
import { type BodyRules, bodyTaken, bodyTooLarge, IncomingBody, type TakeBody } from "./body.ts";
import { type Answer, bearerToken, type Exchange } from "./exchange.ts";
import { baseHeaders, type HeaderList, streamHeaders } from "./headers.ts";
import { passGate } from "./gate.ts";
import { lead } from "./lead.ts";
import type { HostOptions } from "./node-host.ts";
import { type Route, splitTarget } from "./routes.ts";
import type { Service } from "./service.ts";

/** What a host knows of a request beside the request. */
export interface FetchInfo {
  /** Address of the peer, for the limit of connections per address; without it there is none. */
  readonly address?: string;
}

/** The signature of a fetch-style host (Hono, Bun, Deno, workers): everything but WebSockets. */
export type FetchHandler = (request: Request, info?: FetchInfo) => Promise<Response>;

/** Makes the handler; a path that is none of ours is 404. */
export function createFetchHandler(
  service: Service,
  { gate, cross }: Omit<HostOptions, "loopback">,
): FetchHandler {
  const base = baseHeaders(cross);
  return (request, info = {}) =>
    new Promise((resolve) => {
      const target = splitTarget(request.url);
      const route = service.router(target.path);
      // Any route will do: none of them is refused for its method here.
      const exchange = new FetchExchange(request, route ?? { is: "connect" }, target.query, info.address);
      // The next request is to find its way to another server.
      const headers = service.phase.is === "serving" ? base : [...base, "Connection", "close"];
      lead(service, exchange, {
        base: headers,
        admit() {
          if (!route)
            throw new PartylineError("unknown-path", `There is nothing at ${target.path.slice(0, 120)}.`);
          return route.is === "probe" ? headers : passGate(gate, exchange, headers);
        },
        write: (answer, all) => resolve(toResponse(answer, all, request)),
        peer: { destroy: () => resolve(new Response(null, { status: 500 })) },
      });
    });
}

class FetchExchange implements Exchange {
  readonly #request: Request;
  readonly route: Route;
  readonly query: string;
  readonly address: string | undefined;
  #hidesCookies = false;

  constructor(request: Request, route: Route, query: string, address: string | undefined) {
    this.#request = request;
    this.route = route;
    this.query = query;
    this.address = address;
  }

  hideCookies(): void {
    this.#hidesCookies = true;
  }

  get method(): string {
    return this.#request.method;
  }

  get token(): string | undefined {
    return bearerToken(this.header("authorization"));
  }

  header(name: string): string | undefined {
    if (name === "cookie" && this.#hidesCookies) return undefined;
    const value = this.#request.headers.get(name);
    if (value !== null) return value;
    // Not every host shows it, and the URL was made from it.
    return name === "host" ? splitTarget(this.#request.url).authority : undefined;
  }

  readBody(rules: BodyRules, take: TakeBody): void {
    const { limit } = rules;
    if (Number(this.header("content-length") ?? 0) > limit) return take(bodyTooLarge(limit));
    const { body, bodyUsed } = this.#request;
    if (bodyUsed || body?.locked === true) return take(bodyTaken());
    void readAll(body, new IncomingBody(rules, take));
  }

  onGone(listener: () => void): void {
    this.#request.signal.addEventListener("abort", listener, { once: true });
  }
}

async function readAll(source: ReadableStream<Uint8Array> | null, body: IncomingBody): Promise<void> {
  try {
    if (source)
      for await (const piece of source) {
        body.add(piece);
        if (body.settled) return;
      }
    body.end();
  } catch {
    body.cut();
  }
}

function toResponse(answer: Answer, base: HeaderList, request: Request): Response {
  if (answer.is === "stream") {
    if (request.signal.aborted) answer.connection.abandon();
    const out = new PassThrough();
    // Some hosts only abort the request when the peer goes away, others cancel the body.
    request.signal.addEventListener("abort", () => out.destroy(), { once: true });
    answer.connection.begin(out, answer.gzip);
    return new Response(toBody(out), {
      headers: toHeaders([...base, ...streamHeaders(answer)]),
    });
  }
  const { status, type, body, headers } = answer;
  const own = type === undefined ? [] : ["Cache-Control", "no-store", "Content-Type", type];
  const head =
    request.method === "HEAD" && type !== undefined ? ["Content-Length", String(bodyLength(body))] : [];
  const bodyless = status === 204 || request.method === "HEAD";
  return new Response(bodyless ? null : joinBody(body), {
    status,
    headers: toHeaders([...base, ...headers, ...own, ...head]),
  });
}

/**
 * The body of a response. Not by `Readable.toWeb`: on Node 22 that throws where nobody can catch it if the body is
 * cancelled while data flows.
 */
function toBody(out: PassThrough): ReadableStream<Uint8Array> {
  let over = false;
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        out.pause();
        out.on("data", (piece: Buffer) => {
          if (over) return;
          controller.enqueue(new Uint8Array(piece));
          if ((controller.desiredSize ?? 0) <= 0) out.pause();
        });
        out.on("end", () => {
          if (!over) controller.close();
          over = true;
        });
        out.on("close", () => {
          if (!over) controller.error(new Error("The stream was cut off."));
          over = true;
        });
      },
      pull: () => void out.resume(),
      cancel() {
        over = true;
        out.destroy();
      },
    },
    { highWaterMark: out.readableHighWaterMark, size: (piece) => piece?.byteLength ?? 0 },
  );
}

function toHeaders(list: HeaderList): Headers {
  const headers = new Headers();
  for (let index = 0; index + 1 < list.length; index += 2)
    headers.append(list[index] ?? "", list[index + 1] ?? "");
  return headers;
}
