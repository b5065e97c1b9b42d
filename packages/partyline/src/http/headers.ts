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

/** What lets a page of this origin read the answer. */
export function corsHeaders(origin: string): HeaderList {
  return [
    "Access-Control-Allow-Origin",
    origin,
    "Access-Control-Allow-Credentials",
    "true",
    "Access-Control-Expose-Headers",
    "Retry-After",
  ];
}

/** What a page of this origin may ask for; the answer to its preflight. */
export function preflightHeaders(methods: string): HeaderList {
  return [
    "Access-Control-Allow-Methods",
    methods,
    "Access-Control-Allow-Headers",
    "Authorization, Content-Type, Idempotency-Key, Last-Event-ID",
    "Access-Control-Max-Age",
    PREFLIGHT_AGE,
  ];
}
