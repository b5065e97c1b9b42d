/** What one of our URLs names. */
export type Route =
  /** `name`: everything behind `/channels/`, still percent-encoded. */
  | { readonly is: "channel"; readonly name: string }
  | { readonly is: "events" }
  | { readonly is: "connect" }
  /** `ready`: may more readers be led here? `live`: does the process answer? */
  | { readonly is: "probe"; readonly asks: "ready" | "live" };

const EVENTS: Route = { is: "events" };
const CONNECT: Route = { is: "connect" };
const READY: Route = { is: "probe", asks: "ready" };
const LIVE: Route = { is: "probe", asks: "live" };

/** A URL, cut at its `?`. */
export interface Target {
  /** Host and port of a whole URL. */
  readonly authority: string | undefined;
  readonly path: string;
  readonly query: string;
}

/** Path and query of a request's target: `/path?query`, or a whole URL, as proxies are sent. */
export function splitTarget(url: string): Target {
  if (url.startsWith("/")) return cut(url, undefined);
  const [whole, authority] = /^https?:\/\/([^/?#]+)/i.exec(url) ?? [];
  return whole === undefined ? cut(url, undefined) : cut(url.slice(whole.length) || "/", authority);
}

function cut(url: string, authority: string | undefined): Target {
  const question = url.indexOf("?");
  if (question < 0) return { authority, path: url, query: "" };
  return { authority, path: url.slice(0, question), query: url.slice(question + 1) };
}

/** Finds our routes below a prefix. */
export type Router = (path: string) => Route | undefined;

/**
 * Makes the router for a prefix.
 *
 * @throws TypeError where the prefix is not a path.
 */
export function createRouter(prefix: string): Router {
  if (prefix !== "" && !/^(?:\/[^/?#\s]+)+$/.test(prefix))
    throw new TypeError(
      `\`path\` is a path without a slash at its end, like "/realtime": ${JSON.stringify(prefix)}.`,
    );
  const channels = `${prefix}/channels/`;
  const events = `${prefix}/events`;
  const connect = `${prefix}/connect`;
  // Below a path that is ours anyway: an application that is already there may have a `/health` of its own.
  const ready = `${connect}/ready`;
  const live = `${connect}/live`;
  return (path) => {
    if (path.startsWith(channels)) return { is: "channel", name: path.slice(channels.length) };
    if (path === connect) return CONNECT;
    if (path === events) return EVENTS;
    if (path === ready) return READY;
    if (path === live) return LIVE;
    return undefined;
  };
}
