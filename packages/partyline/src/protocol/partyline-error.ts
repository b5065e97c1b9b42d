/** Why something was refused, on every transport alike; the texts that go with the codes are `ERRORS`. */
export type ErrorCode =
  | "bad-frame"
  | "bad-json"
  | "bad-name"
  | "bad-position"
  | "bad-limit"
  | "bad-id"
  | "unauthorized"
  | "forbidden"
  | "foreign-origin"
  | "unknown-path"
  | "unknown-channel"
  | "wrong-method"
  | "body-timeout"
  | "too-large"
  | "wrong-type"
  | "foreign-host"
  | "invalid"
  | "id-reused"
  | "version"
  | "rate-limited"
  | "too-many-channels"
  | "too-many-connections"
  | "too-many-keys"
  | "headers-too-large"
  | "internal"
  | "misconfigured"
  | "draining"
  | "overloaded"
  | "uncertain"
  | "again";

/** What only a client says, never the wire. */
export type ClientErrorCode =
  /** There is no connection, and a message of a `nothing` channel does not wait for one. */
  | "offline"
  /** The client or the channel was closed. */
  | "closed"
  /** The time of a publish was over before it was stored; it surely is not. */
  | "expired"
  /** Messages were missed; see the gap. */
  | "gap"
  /** A proxy or firewall between the client and the server refused the request; it is not stored. */
  | "refused";

const RETRYABLE: readonly string[] = [
  "body-timeout",
  "rate-limited",
  "too-many-connections",
  "internal",
  "draining",
  "overloaded",
  "uncertain",
  "again",
  "offline",
];

/** Longest time that a refusal can make anybody wait, in seconds. */
const MAX_RETRY_AFTER = 3600;

/** What an error tells beside its code; see {@link PartylineError}. */
export interface ErrorDetails {
  /** What to do first. */
  readonly remedy?: string;
  /** Seconds after which to try again, at most 3 600. What is not above 0 counts as none. */
  readonly retryAfter?: number | undefined;
  readonly cause?: unknown;
}

/**
 * The one error that partyline throws. `message` says what went wrong with the value it got, `remedy` what to
 * do about it; programs look at `code` and `retryable`, never at texts.
 *
 * This class has no table of texts, so that the client, which gets the remedy with the refusal, stays small.
 * The server's class of the same name extends it: `instanceof` with this one holds for both.
 *
 * @example
 * ```ts
 * try {
 *   await channel.publish(order);
 * } catch (error) {
 *   if (error instanceof PartylineError && error.retryable) later(order);
 *   else throw error;
 * }
 * ```
 */
export class PartylineError extends Error {
  override readonly name: string = "PartylineError";
  declare readonly code: ErrorCode | ClientErrorCode;
  /** What the reader should do first. */
  declare readonly remedy: string;
  /** Seconds after which to try again, where the refuser knows. */
  declare readonly retryAfter: number | undefined;

  constructor(code: ErrorCode | ClientErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.remedy = details.remedy ?? "";
    const retryAfter = Math.min(details.retryAfter ?? 0, MAX_RETRY_AFTER);
    this.retryAfter = retryAfter > 0 ? retryAfter : undefined;
  }

  /** May the same request succeed later, unchanged? */
  get retryable(): boolean {
    return RETRYABLE.includes(this.code);
  }
}
