import type { StreamAnswer } from "./exchange.ts";

/** Headers of all answers, and what is added for an origin that was allowed. Lists of name, value, name, value. */
export type HeaderList = readonly string[];

const ALWAYS: HeaderList = ["X-Content-Type-Options", "nosniff", "Vary", "Origin, Accept, Accept-Encoding"];
const SAME_ORIGIN: HeaderList = [...ALWAYS, "Cross-Origin-Resource-Policy", "same-origin"];
const CROSS_ORIGIN: HeaderList = [...ALWAYS, "Cross-Origin-Resource-Policy", "cross-origin"];

/** What nobody on the way may keep, rewrite or hold back. */
const STREAM_HEADERS: HeaderList = [
  "Content-Type",
  "text/event-stream",
  "Cache-Control",
  "no-store, no-transform",
  "X-Accel-Buffering",
  "no",
];

const GZIP_HEADERS: HeaderList = [...STREAM_HEADERS, "Content-Encoding", "gzip"];

/** The headers of a stream, beside those of every answer. */
export function streamHeaders({ gzip }: StreamAnswer): HeaderList {
  return gzip ? GZIP_HEADERS : STREAM_HEADERS;
}

/** How long a browser may remember the answer to a preflight, seconds. */
const PREFLIGHT_AGE = "600";

/**
 * The headers that every answer of a server carries.
 *
 * @param open Are other origins allowed at all?
 */
export function baseHeaders(open: boolean): HeaderList {
  return open ? CROSS_ORIGIN : SAME_ORIGIN;
}

/** A foreign origin that was allowed. */
export interface AllowedOrigin {
  /** The value of `Access-Control-Allow-Origin`. */
  readonly origin: string;
  /** Whether its pages may show the cookies of the user. */
  readonly credentials: boolean;
}

/** What lets a page of this origin read the answer. */
export function corsHeaders({ origin, credentials }: AllowedOrigin): HeaderList {
  const cookies = credentials ? ["Access-Control-Allow-Credentials", "true"] : [];
  return ["Access-Control-Allow-Origin", origin, ...cookies, "Access-Control-Expose-Headers", "Retry-After"];
}

/** Headers that a page may send, if its browser does not say which it wants to. */
const KNOWN_HEADERS = "Authorization, Content-Type, Idempotency-Key, Last-Event-ID";

/** Most characters of a list of header names that is mirrored. */
const MIRRORED = 1_000;

/**
 * What a page of this origin may ask for; the answer to its preflight.
 *
 * @param wanted `Access-Control-Request-Headers`. Which headers an allowed page sends is its own affair: tracing adds some
 * (`traceparent`, `baggage`), and so do wrappers of `fetch`.
 */
export function preflightHeaders(methods: string, wanted: string | undefined): HeaderList {
  const mirrors =
    wanted !== undefined && wanted.length <= MIRRORED && /^[\w\-.!#$%&'*+^`|~, ]+$/.test(wanted);
  return [
    "Access-Control-Allow-Methods",
    methods,
    "Access-Control-Allow-Headers",
    mirrors ? wanted : KNOWN_HEADERS,
    "Access-Control-Max-Age",
    PREFLIGHT_AGE,
  ];
}
