import { connect, constants, type ClientHttp2Session, type IncomingHttpHeaders } from "node:http2";
import { Readable } from "node:stream";

/** `fetch` over HTTP/2: one connection to each origin. */
export interface Http2Fetch extends AsyncDisposable {
  readonly fetch: typeof fetch;
  /** The connection to the origin of this URL. */
  session(url: string): ClientHttp2Session;
}

/** Makes an {@link Http2Fetch} that takes any certificate. */
export function createHttp2Fetch(): Http2Fetch {
  const sessions = new Map<string, ClientHttp2Session>();

  const session = (url: string): ClientHttp2Session => {
    const { origin } = new URL(url);
    const open = sessions.get(origin);
    if (open && !open.closed && !open.destroyed) return open;
    const opened = connect(origin, { rejectUnauthorized: false });
    opened.on("error", () => undefined);
    sessions.set(origin, opened);
    return opened;
  };

  const http2Fetch = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const request = new Request(input, init);
    const { pathname, search } = new URL(request.url);
    const body =
      (init.body ?? undefined) === undefined ? undefined : Buffer.from(await request.arrayBuffer());
    init.signal?.throwIfAborted();
    const stream = session(request.url).request({
      ":method": request.method,
      ":path": pathname + search,
      ...Object.fromEntries(request.headers),
      ...(body === undefined ? {} : { "content-length": body.length }),
    });
    stream.end(body);
    init.signal?.addEventListener("abort", () => stream.close(constants.NGHTTP2_CANCEL));
    const { ":status": status, ...headers } = await new Promise<IncomingHttpHeaders & { ":status"?: number }>(
      (resolve, reject) => {
        stream.once("response", resolve).once("error", reject);
        stream.once("close", () => reject(new Error("The stream was closed without a response.")));
      },
    );
    const bodyless = request.method === "HEAD" || status === 204;
    return new Response(bodyless ? null : (Readable.toWeb(stream) as ReadableStream<Uint8Array>), {
      status: status ?? 0,
      headers: Object.entries(headers).map(([name, value]) => [name, String(value)]),
    });
  };

  return {
    fetch: http2Fetch,
    session,
    async [Symbol.asyncDispose]() {
      const closed = [...sessions.values()].map(
        (open) => new Promise<void>((resolve) => (open.destroyed ? resolve() : open.once("close", resolve))),
      );
      for (const open of sessions.values()) open.destroy();
      await Promise.all(closed);
    },
  };
}
