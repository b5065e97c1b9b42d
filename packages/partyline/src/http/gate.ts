import { PartylineError } from "../protocol/errors.ts";

/** Whom the gate lets through; PROTOCOL.md, "The gate". */
export interface GateRules {
  /** Names under which the server is reached, with a port or without; empty: see `loopback`. */
  readonly hosts: readonly string[];
  /** Origins beside the server's own whose pages may talk to it; `*` for all. */
  readonly origins: readonly string[];
  /** Does the server listen on this machine alone? Then no page elsewhere may reach it by a name of its own. */
  readonly loopback: boolean;
}

/** What the gate looks at. */
export interface Visitor {
  header(name: string): string | undefined;
}

/**
 * Lets a request pass or throws; answers the foreign origin that was allowed, for CORS, else `undefined`.
 *
 * @throws PartylineError `foreign-host`, `foreign-origin`
 */
export type Gate = (visitor: Visitor) => string | undefined;

/**
 * Makes a gate.
 *
 * @throws TypeError where an allowed origin is none.
 */
export function createGate(rules: GateRules): Gate {
  const hosts = new Set(rules.hosts.map((host) => host.toLowerCase()));
  const origins = new Set(rules.origins.map(normalizeOrigin));
  const anyOrigin = origins.has("*");

  const isReached = (host: string): boolean => {
    if (hosts.size > 0) return hosts.has(host) || hosts.has(nameOf(host));
    return !rules.loopback || isLoopback(nameOf(host));
  };

  /** The name that passed last: nearly always that of the next request too. */
  let passed: string | undefined;

  const checkHost = (host: string): void => {
    if (host === passed) return;
    if (!isReached(host))
      throw new PartylineError("foreign-host", `This server is not ${JSON.stringify(host.slice(0, 80))}.`);
    passed = host;
  };

  return (visitor) => {
    const host = (visitor.header("host") ?? "").toLowerCase();
    checkHost(host);
    const origin = visitor.header("origin");
    if (origin === undefined) {
      const site = visitor.header("sec-fetch-site");
      if (site === "cross-site" || site === "same-site")
        throw foreign(`a ${site} request`, "the page's origin");
      return undefined;
    }
    const given = origin.toLowerCase();
    if (isSameHost(given, host) || isVouchedFor(given, visitor)) return undefined;
    if (anyOrigin || origins.has(given)) return origin;
    throw foreign(`the origin ${origin.slice(0, 120)}`, origin.slice(0, 120));
  };
}

function foreign(what: string, origin: string): PartylineError {
  return new PartylineError("foreign-origin", `This server does not know ${what}.`, {
    remedy:
      `Allow it: \`--origin ${origin}\`, in code \`origins: [${JSON.stringify(origin)}]\`. ` +
      "Where it is this server's own, have the proxy pass on `Host`.",
  });
}

/** Host and port equal; the scheme does not count, because a proxy before us may speak TLS. */
function isSameHost(origin: string, host: string): boolean {
  const start = origin.indexOf("://");
  return start > 0 && host !== "" && withoutDefaultPort(origin.slice(start + 3)) === withoutDefaultPort(host);
}

/**
 * Does the browser itself say that the page is of this origin? No page can set or change that header. A proxy that does
 * not pass `Host` on, as nginx does not unless told to, leaves nothing else to go by.
 */
function isVouchedFor(origin: string, visitor: Visitor): boolean {
  return origin !== "null" && visitor.header("sec-fetch-site") === "same-origin";
}

function withoutDefaultPort(host: string): string {
  return host.replace(/:(?:80|443)$/, "");
}

function nameOf(host: string): string {
  return host.replace(/:\d*$/, "");
}

/** `localhost`, `*.localhost`, `127.0.0.0/8`, `[::1]`. */
function isLoopback(name: string): boolean {
  return (
    name === "localhost" ||
    name.endsWith(".localhost") ||
    name === "[::1]" ||
    /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name)
  );
}

function normalizeOrigin(text: string): string {
  if (text === "*") return text;
  const origin = URL.canParse(text) ? new URL(text).origin : "null";
  if (origin === "null" || origin.toLowerCase() !== text.toLowerCase().replace(/\/$/, ""))
    throw new TypeError(`An origin is a scheme, a host and a port, like "https://app.example": ${text}.`);
  return origin;
}
