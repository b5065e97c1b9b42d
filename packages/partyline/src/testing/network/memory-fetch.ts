import { type IncomingMessage, request as httpRequest } from "node:http";
import { Readable, type Duplex } from "node:stream";

/** Answers that have no body. */
const BODILESS = [101, 204, 205, 304];

/** A `fetch` whose requests go over connections that `connect` opens, one each. */
export function createFetch(connect: () => Duplex): typeof fetch {
  return async (input, init) => {
    // Not by way of the request: a test runner's DOM may have signals of its own, which Node takes for none; and the
    // request's follows the caller's only until the garbage collector comes by.
    const signal = init?.signal ?? (input instanceof Request ? input.signal : undefined);
    const request = new Request(input, { ...init, signal: null });
    const { method, headers } = request;
    const body = request.body && Buffer.from(await request.arrayBuffer());
    signal?.throwIfAborted();
    const { host, pathname, search } = new URL(request.url);
    return new Promise<Response>((resolve, reject) => {
      const outgoing = httpRequest({
        createConnection: connect,
        method,
        path: pathname + search,
        headers: { host, ...Object.fromEntries(headers), "content-length": body?.length ?? 0 },
      });
      const abort = (): void => {
        reject(signal?.reason as Error);
        outgoing.destroy();
      };
      signal?.addEventListener("abort", abort, { once: true });
      outgoing.on("close", () => signal?.removeEventListener("abort", abort));
      // As `fetch` has it: whatever the network does is a TypeError.
      outgoing.on("error", (cause) => reject(new TypeError("fetch failed", { cause })));
      outgoing.on("response", (incoming) => resolve(answer(incoming)));
      outgoing.end(body);
    });
  };
}

function answer(incoming: IncomingMessage): Response {
  const { statusCode: status = 0, statusMessage: statusText = "", rawHeaders } = incoming;
  const headers = new Headers();
  for (let index = 0; index < rawHeaders.length; index += 2)
    headers.append(rawHeaders[index] ?? "", rawHeaders[index + 1] ?? "");
  const body = BODILESS.includes(status) ? null : (Readable.toWeb(incoming) as ReadableStream<Uint8Array>);
  return new Response(body, { status, statusText, headers });
}
