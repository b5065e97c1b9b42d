import { type ErrorCode, type ErrorDetails, PartylineError as LightError } from "./partyline-error.ts";

export type { ErrorCode, ErrorDetails } from "./partyline-error.ts";

/**
 * Everything that can be refused, in one table. The same name is the `code` of an HTTP problem, of an
 * `error` frame and of a {@link PartylineError}, so that one word finds it in logs, docs and code.
 */

interface ErrorRow {
  /** HTTP status of the refusal. */
  readonly status: number;
  /** WebSocket close code where the refusal ends the connection. */
  readonly close: number;
  /** May the same request succeed later, unchanged? */
  readonly retryable: boolean;
  /** One line for people: what this code means, whatever the details. */
  readonly title: string;
  /** What the reader should do first. */
  readonly remedy: string;
}

const row = (status: number, close: number, retryable: boolean, title: string, remedy: string): ErrorRow => ({
  status,
  close,
  retryable,
  title,
  remedy,
});

/** The table of error codes. */
export const ERRORS = {
  "bad-frame": row(
    400,
    4400,
    false,
    "Malformed frame",
    "Send JSON objects with a known type in `t`, one a line; see PROTOCOL.md, Wire.",
  ),
  "bad-json": row(
    400,
    4400,
    false,
    "Malformed JSON",
    "Send valid JSON, or send text with `content-type: text/plain`.",
  ),
  "bad-name": row(
    400,
    4400,
    false,
    "Invalid channel name",
    "Use non-empty segments without `*`, `{`, `}`, `:` or control characters, at most 255 bytes; percent-encode once.",
  ),
  "bad-position": row(
    400,
    4400,
    false,
    "Unreadable position",
    "Use a position as the server gave it (`epoch:offset`), or `earliest`, `now`, `last:N`.",
  ),
  "bad-limit": row(
    400,
    4400,
    false,
    "Invalid number",
    "Use a whole number within the range that the detail names.",
  ),
  "bad-id": row(
    400,
    4400,
    false,
    "Invalid publish id",
    "Use 1 to 64 characters of A-Z, a-z, 0-9, `_` and `-`.",
  ),
  unauthorized: row(
    401,
    4401,
    false,
    "Credentials missing or not valid",
    "Send a valid token in the `Authorization: Bearer` header, or in the `hello` frame.",
  ),
  forbidden: row(
    403,
    4403,
    false,
    "Not allowed on this channel",
    "Ask for a grant of this action on this channel.",
  ),
  "foreign-origin": row(
    403,
    4403,
    false,
    "Foreign origin",
    "Add the page's origin to the server's allowed origins (`--origin`).",
  ),
  "unknown-path": row(404, 4404, false, "Nothing at this path", "Use /channels/{name}, /events or /connect."),
  "unknown-channel": row(
    404,
    4404,
    false,
    "No channel definition matches",
    "Check the name against the channels that the server defines.",
  ),
  "wrong-method": row(
    405,
    4400,
    false,
    "Method not allowed here",
    "Use one of the methods in the `Allow` header.",
  ),
  "body-timeout": row(
    408,
    4503,
    true,
    "The body arrived too slowly",
    "Send the body again, over a faster network or in smaller requests.",
  ),
  "too-large": row(
    413,
    4413,
    false,
    "Message too large",
    "Send a smaller message, or a reference to where the data is.",
  ),
  "wrong-type": row(
    415,
    4415,
    false,
    "Content type not understood",
    "Send `application/json`, `text/plain` or `application/octet-stream`.",
  ),
  "foreign-host": row(
    421,
    4403,
    false,
    "Foreign host name",
    "Use a host name the server is configured for (`--hostname`).",
  ),
  invalid: row(
    422,
    4422,
    false,
    "Message does not fit the channel's schema",
    "Correct the fields that the detail names.",
  ),
  "id-reused": row(
    422,
    4422,
    false,
    "Publish id used before with other data",
    "Make a new id for each new message.",
  ),
  version: row(
    426,
    4426,
    false,
    "Protocol version not spoken",
    "Use a client of the same major version as the server (`partyline.v1`).",
  ),
  "rate-limited": row(429, 4503, true, "Too many commands", "Wait for `retryAfter` seconds and send fewer."),
  "too-many-channels": row(
    429,
    4409,
    false,
    "Too many channels on one connection",
    "Detach from channels that are not shown, or open a second connection.",
  ),
  "too-many-connections": row(
    429,
    4503,
    true,
    "Too many connections",
    "Wait for `retryAfter` seconds; share one connection between channels and tabs.",
  ),
  "too-many-keys": row(
    429,
    4400,
    false,
    "Too many keys in a `latest` channel",
    "Delete keys that are no longer needed, or spread them over several channels.",
  ),
  "headers-too-large": row(
    431,
    4400,
    false,
    "Request headers too large",
    "Send shorter headers and a shorter URL.",
  ),
  internal: row(
    500,
    4500,
    true,
    "Something failed in the server",
    "Try again; if it stays, look into the server's log.",
  ),
  misconfigured: row(
    500,
    4400,
    false,
    "The server is not set up for this request",
    "Change the server's setup as its log says.",
  ),
  draining: row(
    503,
    4503,
    true,
    "The server is going away",
    "Connect again: another server, or this one after its restart, goes on from your position.",
  ),
  overloaded: row(503, 4503, true, "The server is too busy", "Try again after `retryAfter` seconds."),
  uncertain: row(
    503,
    4503,
    true,
    "It is not known whether the message was stored",
    "Publish again with the same id; with a new id the message may be stored twice.",
  ),
  again: row(
    503,
    4503,
    true,
    "An earlier publish of this connection was not stored",
    "Settle the earlier publish, then send all that follow again, the oldest one marked `first`.",
  ),
} as const satisfies Record<ErrorCode, ErrorRow>;

/** Is this string one of the codes that this version knows? */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}

/**
 * A {@link LightError} that knows the table: what servers throw. The remedy is that of the code where none more
 * precise is given.
 */
export class PartylineError extends LightError {
  declare readonly code: ErrorCode;
  /** HTTP status: that of the code, unless HTTP itself has a more precise one. */
  readonly status: number;

  constructor(code: ErrorCode, message: string, details: ErrorDetails & { readonly status?: number } = {}) {
    super(code, message, { ...details, remedy: details.remedy ?? ERRORS[code].remedy });
    this.status = details.status ?? ERRORS[code].status;
  }
}

/** Body of an HTTP refusal, `application/problem+json` (RFC 9457). */
export interface Problem {
  readonly status: number;
  readonly code: ErrorCode;
  readonly title: string;
  readonly detail: string;
  readonly remedy: string;
  readonly retryAfter?: number;
}

/** The problem document that tells this error over HTTP. */
export function toProblem(error: PartylineError): Problem {
  return {
    status: error.status,
    code: error.code,
    title: ERRORS[error.code].title,
    detail: error.message,
    remedy: error.remedy,
    ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }),
  };
}

/**
 * Anything thrown, as a {@link PartylineError}: unknown throws become `internal`, with a text that gives nothing
 * of the inside away; the original is the `cause`. Called once, at the border.
 */
export function toPartylineError(thrown: unknown): PartylineError {
  if (thrown instanceof PartylineError) return thrown;
  return new PartylineError("internal", "The server failed while it handled this request.", {
    cause: thrown,
  });
}
