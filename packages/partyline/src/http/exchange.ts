import type { Credentials } from "../core/ports.ts";
import type { Compression } from "../transports/compression.ts";
import type { Body } from "../transports/pieces.ts";
import type { StreamConnection } from "../transports/stream-connection.ts";
import type { BodyRules, TakeBody } from "./body.ts";
import type { Route } from "./routes.ts";

/** A request as the handlers see it, whatever the host. */
export interface Exchange extends Credentials {
  readonly method: string;
  readonly route: Route;
  /** What follows the `?`. */
  readonly query: string;
  /** Address of the peer; `undefined` where the host does not know, or it can only be this machine. */
  readonly address: string | undefined;
  /** Hides the cookies of a page that may not show them, from `authenticate` too. */
  hideCookies(): void;
  /** Looks at what HTTP itself asks of a head, if the host does not. @throws PartylineError */
  checkHead?(): void;
  /** Reads the whole body; `take` is called once, with an error as soon as it is certain. */
  readBody(rules: BodyRules, take: TakeBody): void;
  /**
   * Calls when it is over: it was answered, or the peer has gone. Who asks for this waits, and a limit of the host's on
   * the quiet of a connection is lifted, where there is a way.
   */
  onGone(listener: () => void): void;
}

/** An answer that is ready. */
export interface WholeAnswer {
  readonly is: "whole";
  readonly status: number;
  readonly type: string | undefined;
  readonly body: Body;
  /** Further headers: name, value, name, value. */
  readonly headers: readonly string[];
}

/** An answer that begins now; `begin` it after its head, or `abandon` it. */
export interface StreamAnswer {
  readonly is: "stream";
  readonly connection: StreamConnection;
  /** For `begin`: set where the peer takes `Content-Encoding: gzip`. */
  readonly gzip: Compression["stream"] | undefined;
}

export type Answer = WholeAnswer | StreamAnswer;

/** Takes an answer to whoever asked; called once. */
export type Reply = (answer: Answer) => void;

export const NO_HEADERS: readonly string[] = [];

/** The token of an `Authorization: Bearer` header. */
export function bearerToken(authorization: string | undefined): string | undefined {
  return authorization === undefined ? undefined : /^bearer +(\S+) *$/i.exec(authorization)?.[1];
}
