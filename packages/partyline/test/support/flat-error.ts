import { PartylineError } from "../../src/protocol/errors.ts";

/** A `PartylineError` on its way between processes: V8 copies no classes. */
export interface FlatError {
  readonly code: PartylineError["code"];
  readonly message: string;
  readonly remedy: string;
  readonly retryAfter: number | undefined;
}

export function flatten(error: unknown): FlatError {
  const { code, message, remedy, retryAfter } =
    error instanceof PartylineError ? error : new PartylineError("internal", String(error));
  return { code, message, remedy, retryAfter };
}

export function revive({ code, message, remedy, retryAfter }: FlatError): PartylineError {
  return new PartylineError(code, message, { remedy, ...(retryAfter === undefined ? {} : { retryAfter }) });
}
