import type { Readable } from "node:stream";
import { PartylineError } from "../protocol/errors.ts";
import { GrowingBytes } from "../transports/growing-bytes.ts";
import type { ArrivingBody, Bodies } from "./bodies.ts";

/** Bytes of a refused body that are read and dropped, so that its sender can read the refusal. */
export const DROPPED_BYTES: number = 16 * 1024 * 1024;

/** Period over which the rate of a body is judged, in milliseconds. */
const RATE_WINDOW_MS = 10_000;

/** The error of a body that is larger than it may be. */
export function bodyTooLarge(limit: number): PartylineError {
  return new PartylineError("too-large", `The body has more than ${limit} bytes.`);
}

/** The error of a body whose end never came. The peer is gone; the error only ends what the request began. */
export function bodyCutOff(): PartylineError {
  return new PartylineError("bad-frame", "The body was cut off.");
}

/** The error of a body that other code has read, so that its bytes are lost. */
export function bodyTaken(): PartylineError {
  return new PartylineError("misconfigured", "Other code of this server has read the body already.", {
    remedy:
      "Mount partyline before body parsers such as `express.json()`, or have the parser keep the exact bytes as `request.rawBody`.",
  });
}

/** Rules for the body of one request. */
export interface BodyRules {
  /** Most bytes of the body. */
  readonly limit: number;
  readonly bodies: Bodies;
  /** Whether the sender has proved who it is. If not, the body counts towards `limits.unauthenticatedBytes`. */
  readonly authenticated: boolean;
}

/** Receives a whole body, or the error that ended it. */
export type TakeBody = (body: Uint8Array | PartylineError) => void;

/**
 * Joins a body while it arrives. The memory that it holds is at most twice its length plus one network read, however
 * small its pieces are.
 */
export class IncomingBody implements ArrivingBody {
  readonly #rules: BodyRules;
  #take: TakeBody | undefined;
  #first: Uint8Array | undefined;
  #rest: GrowingBytes | undefined;
  /** Bytes of memory that are charged to `rules.bodies`. */
  #charged = 0;
  /** Bytes that arrived, dropped ones included. */
  #length = 0;
  /** Start of the current rate window, and `#length` at that time. */
  #windowStart: number | undefined;
  #windowLength = 0;

  /** @param take Called once: with the body, or with the error as soon as it is certain. */
  constructor(rules: BodyRules, take: TakeBody) {
    this.#rules = rules;
    this.#take = take;
    rules.bodies.add(this);
  }

  get settled(): boolean {
    return this.#take === undefined;
  }

  /** Whether more pieces are of use, if only to let the sender read its refusal. */
  get wantsMore(): boolean {
    return this.#take !== undefined || this.#length <= DROPPED_BYTES;
  }

  add(piece: Uint8Array): void {
    this.#length += piece.length;
    if (!this.#take) return;
    const { limit } = this.#rules;
    if (this.#length > limit) return this.#settle(bodyTooLarge(limit));
    if (this.#rest) this.#rest.add(piece, limit);
    else if (this.#first) this.#join(piece);
    else this.#first = piece;
    this.#charge();
  }

  /** The body is whole. */
  end(): void {
    this.#settle(this.#rest?.bytes ?? this.#first ?? EMPTY);
  }

  /** No more pieces come, and the body is not whole. */
  cut(): void {
    // Checked first: an error is expensive to make, and every whole body closes too.
    if (this.#take) this.#settle(bodyCutOff());
  }

  tick(now: number, slowest: number): void {
    // A piece can be a small part of a large network read, which it would keep in memory.
    if (this.#first && !this.#rest) this.#join(EMPTY);
    if (this.#windowStart !== undefined) {
      const passed = now - this.#windowStart;
      if (passed < RATE_WINDOW_MS) return;
      const rate = ((this.#length - this.#windowLength) * 1_000) / passed;
      if (rate < slowest) return this.#settle(tooSlow(slowest));
    }
    this.#windowStart = now;
    this.#windowLength = this.#length;
  }

  #join(piece: Uint8Array): void {
    this.#rest = new GrowingBytes();
    this.#rest.add(this.#first ?? EMPTY, this.#rules.limit);
    this.#rest.add(piece, this.#rules.limit);
    this.#first = undefined;
  }

  #charge(): void {
    const { authenticated, bodies } = this.#rules;
    if (authenticated) return;
    const held = this.#rest?.capacity ?? this.#first?.length ?? 0;
    if (held === this.#charged) return;
    const refusal = bodies.hold(held - this.#charged);
    if (refusal) return this.#settle(refusal);
    this.#charged = held;
  }

  #settle(result: Uint8Array | PartylineError): void {
    const take = this.#take;
    if (!take) return;
    this.#take = undefined;
    this.#first = undefined;
    this.#rest = undefined;
    this.#rules.bodies.remove(this);
    this.#rules.bodies.release(this.#charged);
    take(result);
  }
}

function tooSlow(slowest: number): PartylineError {
  return new PartylineError("body-timeout", `The body arrived with less than ${slowest} bytes per second.`);
}

/** Where a body comes from. */
export interface BodySource {
  readonly stream: Readable;
  /** Ended if the body comes in too many small pieces. */
  readonly connection: { destroy(): unknown };
  /** Called at the end: whether it is the body's own end. */
  readonly isWhole: () => boolean;
}

/** Collects a body. */
export function collectBody(
  { stream: source, connection, isWhole }: BodySource,
  rules: BodyRules,
  take: TakeBody,
): void {
  const body = new IncomingBody(rules, take);
  let begun = false;
  source.on("data", (piece: Buffer) => {
    if (begun && !rules.bodies.paces(connection, piece)) return void connection.destroy();
    begun = true;
    body.add(piece);
    if (!body.wantsMore) source.destroy();
  });
  source.on("end", () => {
    if (isWhole()) body.end();
    else body.cut();
  });
  // `close` follows, and suffices.
  source.on("error", ignore);
  source.on("close", () => body.cut());
}

/** The request object as middleware leaves it. */
type ParsedRequest = Readable & { readonly body?: unknown; readonly rawBody?: unknown };

/**
 * The result of a body that can't be read any more: its bytes, if middleware has kept them exactly, else an error.
 *
 * @returns `undefined` if nobody has read the body.
 */
export function readBefore(request: ParsedRequest, limit: number): Uint8Array | PartylineError | undefined {
  if (!request.readableDidRead) {
    if (request.readableEnded) return EMPTY;
    return request.destroyed ? bodyCutOff() : undefined;
  }
  const kept = exactBytes(request.rawBody) ?? exactBytes(request.body);
  if (!kept) return bodyTaken();
  return kept.length > limit ? bodyTooLarge(limit) : kept;
}

function exactBytes(kept: unknown): Uint8Array | undefined {
  if (typeof kept === "string") return Buffer.from(kept);
  return kept instanceof Uint8Array ? kept : undefined;
}

function ignore(): void {}

const EMPTY = Buffer.alloc(0);
