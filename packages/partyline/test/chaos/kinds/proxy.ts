import type { ProxyAct } from "../history.ts";

/** A word in messages that some proxies refuse. */
export const MARK = "forbidden-word";

/** Responses without news that a client may ask for within {@link WINDOW_MS}: with backoff it asks for less. */
const MOST_REQUESTS = 60;
const WINDOW_MS = 100;

/** Redirects after which the platform repeats the request as it was; after the others it is a `GET`. */
const SAME_METHOD: readonly number[] = [307, 308];

/** What a {@link Proxy} reports. */
export interface ProxyHost {
  readonly after: (ms: number) => Promise<void>;
  readonly count: (what: string) => void;
  /** The client asks again and again without a pause. */
  readonly restless: (message: string) => void;
}

/** A proxy between a client and its line: it answers some `POST`s instead of the server. */
export interface Proxy {
  /** Does this with so many of the next `POST`s. */
  order(times: number, act: ProxyAct): void;
  /** Only what it refuses always is refused from now on. */
  calm(): void;
  through(direct: typeof fetch): typeof fetch;
}

/** @param refusesMarked Status of the response to each `POST` that has the mark; absent: it is let through. */
export function createProxy(host: ProxyHost, refusesMarked: number | undefined): Proxy {
  let orders: ProxyAct[] = [];
  let answered = 0;
  let welcome = "";

  /** Counts responses that the proxy makes without the server; more than a pause allows take time. */
  const hasten = async (): Promise<void> => {
    if (answered === 0) void host.after(WINDOW_MS).then(() => (answered = 0));
    if (++answered < MOST_REQUESTS) return;
    if (answered === MOST_REQUESTS)
      host.restless(
        `A client has made ${MOST_REQUESTS} requests within ${WINDOW_MS} ms that brought nothing.`,
      );
    await host.after(WINDOW_MS);
  };
  const remember = async (response: Response): Promise<Response> => {
    if (response.headers.get("content-type") === "text/event-stream") return response;
    const { status, headers } = response;
    const text = await response.text();
    [welcome = ""] = text.split("\n");
    return new Response(text, { status, headers });
  };
  const html = (status: number, retryAfter?: number): Response =>
    new Response(`<html><h1>${status}</h1></html>`, {
      status,
      headers: {
        "content-type": "text/html",
        ...(retryAfter === undefined ? {} : { "retry-after": `${retryAfter}` }),
      },
    });

  return {
    order(times, act) {
      for (let left = times; left > 0; left--) orders.push(act);
    },
    calm: () => void (orders = []),
    through: (direct) => async (input, init) => {
      if (init?.method !== "POST") return direct(input, init);
      if (refusesMarked !== undefined && typeof init.body === "string" && init.body.includes(MARK)) {
        host.count("proxy: refused the mark");
        await hasten();
        return html(refusesMarked);
      }
      const order = orders.shift();
      if (!order) return remember(await direct(input, init));
      host.count(`proxy: ${order.act}`);
      switch (order.act) {
        case "refuse":
          await hasten();
          return html(order.status, order.retryAfter);
        case "nothing":
          await hasten();
          return new Response(order.body === "welcome" ? welcome : order.body, {
            headers: { "content-type": new Headers(init.headers).get("accept") ?? "text/plain" },
          });
        case "lost response":
          await (await direct(input, init)).body?.cancel();
          return html(502);
        case "redirect": {
          const { method, body, ...rest } = init;
          const same = SAME_METHOD.includes(order.status);
          const response = await direct(input, same ? { ...rest, method, body: body ?? null } : rest);
          return Object.defineProperty(response, "redirected", { value: true });
        }
      }
    },
  };
}
