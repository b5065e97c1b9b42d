/** The rules by which a browser lets a page of another origin reach a server, as far as our client meets them. */
import type { WebSocket as NodeWebSocket } from "ws";
import type { ClientNetwork } from "../../../src/testing/network/medium.ts";

const SIMPLE_METHODS: readonly string[] = ["GET", "HEAD", "POST"];
const SIMPLE_TYPES: readonly string[] = [
  "text/plain",
  "application/x-www-form-urlencoded",
  "multipart/form-data",
];
const SIMPLE_HEADERS: readonly string[] = ["accept", "accept-language", "content-language"];
/** Headers of responses that a page sees without being allowed to. */
const SEEN_HEADERS: readonly string[] = [
  "cache-control",
  "content-language",
  "content-length",
  "content-type",
  "expires",
  "last-modified",
  "pragma",
];

/** A network as a page of this origin has it. */
export function browserNetwork(
  { fetch: direct, WebSocket: Direct }: ClientNetwork,
  origin: string,
  count: (what: string) => void,
): ClientNetwork {
  const Base = Direct as unknown as typeof NodeWebSocket;
  class PageWebSocket extends Base {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols, { origin });
    }
  }
  return {
    WebSocket: PageWebSocket as unknown as typeof WebSocket,
    async fetch(input, init = {}) {
      const { method = "GET", signal = null } = init;
      const headers = new Headers(init.headers);
      const asked = [...headers].filter((header) => !isSimple(...header)).map(([name]) => name);
      if (!SIMPLE_METHODS.includes(method) || asked.length > 0) {
        const preflight = await direct(input, {
          method: "OPTIONS",
          headers: {
            origin,
            "access-control-request-method": method,
            "access-control-request-headers": asked.toSorted().join(","),
          },
          signal,
        });
        await preflight.body?.cancel();
        checkPreflight(preflight, { method, asked, origin });
        count("origin: preflight passed");
      }
      headers.set("origin", origin);
      const response = await direct(input, { ...init, headers });
      checkOrigin(response, origin, init.credentials === "include");
      return exposed(response);
    },
  };
}

function isSimple(name: string, value: string): boolean {
  const [type = ""] = value.split(";");
  return SIMPLE_HEADERS.includes(name) || (name === "content-type" && SIMPLE_TYPES.includes(type.trim()));
}

function listOf(response: Response, name: string): string[] {
  const text = response.headers.get(name) ?? "";
  return text.split(",").map((item) => item.trim().toLowerCase());
}

interface Asked {
  readonly method: string;
  readonly asked: readonly string[];
  readonly origin: string;
}

function checkPreflight(preflight: Response, { method, asked, origin }: Asked): void {
  if (!preflight.ok) throw new TypeError(`The preflight was answered by ${preflight.status}.`);
  checkOrigin(preflight, origin, false);
  const methods = listOf(preflight, "access-control-allow-methods");
  if (!SIMPLE_METHODS.includes(method) && !methods.includes(method.toLowerCase()))
    throw new TypeError(`The preflight does not allow ${method}.`);
  const allowed = listOf(preflight, "access-control-allow-headers");
  for (const name of asked)
    if (!allowed.includes(name) && !allowed.includes("*"))
      throw new TypeError(`The preflight does not allow the header ${name}.`);
}

function checkOrigin(response: Response, origin: string, credentials: boolean): void {
  const allowed = response.headers.get("access-control-allow-origin");
  const passes = allowed === origin || (allowed === "*" && !credentials);
  const withCredentials = response.headers.get("access-control-allow-credentials") === "true";
  if (!passes || (credentials && !withCredentials))
    throw new TypeError(`A page of ${origin} may not read this response.`);
}

/** The response without the headers that the page may not see. */
function exposed(response: Response): Response {
  const seen = [...SEEN_HEADERS, ...listOf(response, "access-control-expose-headers")];
  const { body, status, statusText, headers } = response;
  const bodiless = status === 204 || status === 304;
  return new Response(bodiless ? null : body, {
    status,
    statusText,
    headers: [...headers].filter(([name]) => seen.includes(name)),
  });
}
