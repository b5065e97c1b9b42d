import { PartylineError } from "../protocol/errors.ts";
import { type Host, isLoopbackName, isSharedOrigin, parseHost, parseOrigin } from "../protocol/host.ts";

import type { Exchange } from "./exchange.ts";
import { type AllowedOrigin, corsHeaders, type HeaderList } from "./headers.ts";

/** Whom the gate lets through; PROTOCOL.md, "The gate". */
export interface GateRules {
  /** Names under which the server is reached, with a port or without; empty: see `loopback`. */
  readonly hosts: readonly string[];
  /** Origins beside the server's own whose pages may talk to it; `*` for all. */
  readonly origins: readonly string[];
  /** Whether the server listens on this machine alone; then no page elsewhere may reach it by a name of its own. */
  readonly loopback: () => boolean;
  /** Called with each origin that is refused. */
  readonly refused?: (origin: string) => void;
}

/** What the gate looks at. */
export interface Visitor {
  header(name: string): string | undefined;
}

/**
 * Lets a request pass or throws; returns the foreign origin that was allowed, if it is one.
 *
 * @throws PartylineError `bad-frame`, `foreign-host`, `foreign-origin`
 */
export type Gate = (visitor: Visitor) => AllowedOrigin | undefined;

/**
 * Makes a gate.
 *
 * @throws TypeError if an allowed origin or a host is none.
 */
export function createGate({ hosts, origins, loopback, refused }: GateRules): Gate {
  const isReached = hostCheck(hosts, loopback);
  const known = new Set(origins.map(readOrigin));
  const anyOrigin = known.has("*");

  /** The name that passed last: nearly always that of the next request too. */
  let passed: { readonly text: string; readonly host: Host | undefined } | undefined;

  /** The origin that was read last. */
  let asked: Asked | undefined;

  const checkHost = (text: string): Host | undefined => {
    if (text === passed?.text) return passed.host;
    const host = parseHost(text);
    if (!host && text !== "")
      throw new PartylineError("bad-frame", `No host has the name ${JSON.stringify(text.slice(0, 80))}.`, {
        remedy: "Send the name and the port of the server in `Host`.",
      });
    if (!isReached(host))
      throw new PartylineError("foreign-host", `This server is not ${JSON.stringify(text.slice(0, 80))}.`);
    passed = { text, host };
    return host;
  };

  return (visitor) => {
    const host = checkHost(visitor.header("host") ?? "");
    const text = visitor.header("origin");
    if (text === undefined) {
      const site = visitor.header("sec-fetch-site");
      if (site === "cross-site" || site === "same-site")
        throw foreign(`a ${site} request`, "the page's origin");
      return undefined;
    }
    if (text !== asked?.text) asked = readAsked(text);
    const { origin, own } = asked;
    if (own !== undefined && own.name === host?.name && own.port === host.port) return undefined;
    if (isVouchedFor(text, visitor)) return undefined;
    if (origin !== undefined && known.has(origin))
      return { origin: text, credentials: !isSharedOrigin(origin) };
    // Never with the user's cookies: any page at all would act in the name of the user.
    if (anyOrigin) return { origin: "*", credentials: false };
    const short = text.slice(0, 120);
    refused?.(short);
    throw foreign(`the origin ${short}`, short);
  };
}

/** Leads a request through the gate; returns the headers of its answer. @throws PartylineError */
export function passGate(gate: Gate, exchange: Exchange, base: HeaderList): HeaderList {
  const allowed = gate(exchange);
  if (allowed === undefined) return base;
  if (!allowed.credentials) exchange.hideCookies();
  return [...base, ...corsHeaders(allowed)];
}

function hostCheck(hosts: readonly string[], loopback: () => boolean): (host: Host | undefined) => boolean {
  const names = new Set<string>();
  const exact = new Set<string>();
  for (const text of hosts) {
    const host = parseHost(text);
    if (!host || host.name.includes("*"))
      throw new TypeError(
        `A host is a name, with a port if that is to count, like "app.example": ${JSON.stringify(text)}.`,
      );
    if (host.hasPort) exact.add(`${host.name}:${host.port}`);
    else names.add(host.name);
  }
  if (hosts.length === 0) return (host) => !loopback() || (host !== undefined && isLoopbackName(host.name));
  return (host) => host !== undefined && (names.has(host.name) || exact.has(`${host.name}:${host.port}`));
}

function foreign(what: string, origin: string): PartylineError {
  return new PartylineError("foreign-origin", `This server does not know ${what}.`, {
    remedy:
      origin === "null"
        ? "A file and a sandboxed frame have no origin that could be allowed: serve the page over HTTP."
        : `Allow it: \`--origin ${origin}\`, in code \`origins: [${JSON.stringify(origin)}]\`. ` +
          "Where it is this server's own, have the proxy pass on `Host`.",
  });
}

/** An `Origin` as it was read. */
interface Asked {
  readonly text: string;
  readonly origin: string | undefined;
  /**
   * The host whose own page it is. Which of the web's two schemes it has does not count, because a proxy before us may
   * speak TLS.
   */
  readonly own: Host | undefined;
}

function readAsked(text: string): Asked {
  const origin = parseOrigin(text);
  const [, rest] = /^https?:\/\/(.*)$/.exec(origin ?? "") ?? [];
  return { text, origin, own: rest === undefined ? undefined : parseHost(rest) };
}

/**
 * Does the browser itself say that the page is of this origin? No page can set or change that header. A proxy that does
 * not pass `Host` on, as nginx does not unless told to, leaves nothing else to go by.
 */
function isVouchedFor(origin: string, visitor: Visitor): boolean {
  return origin !== "null" && visitor.header("sec-fetch-site") === "same-origin";
}

function readOrigin(text: string): string {
  if (text === "*") return text;
  const origin = parseOrigin(text);
  if (origin === undefined || origin.includes("*"))
    throw new TypeError(
      `An origin is a scheme, a host and a port, like "https://app.example": ${JSON.stringify(text)}.`,
    );
  return origin;
}
