/** Times of a server on a port of its own, in milliseconds. */
export const TIMEOUTS = {
  /** An idle connection is kept for longer than load balancers keep theirs, which is 60 s for the common ones. */
  keepAliveTimeout: 65_000,
  /** The head of a request, from the beginning of its connection or its first byte on. Above `keepAliveTimeout`. */
  headersTimeout: 70_000,
  /** A whole request. Bodies are bounded by their rate; this bounds what is left, as the body of a refused request. */
  requestTimeout: 60 * 60_000,
} as const;

/** How often Node looks at `headersTimeout` and `requestTimeout`, in milliseconds. */
export const CHECK_INTERVAL_MS = 5_000;

/** The handshake of TLS, in milliseconds. */
export const HANDSHAKE_MS = 20_000;
