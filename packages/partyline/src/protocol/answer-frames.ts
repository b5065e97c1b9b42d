import type { PartylineError } from "./errors.ts";
import type { ErrorFrame, GapFields } from "./frames.ts";
import { formatPosition } from "./position.ts";
import type { Gap } from "./since.ts";

/** The frame that tells an error; `n` names the command that was refused, where there is one. */
export function errorFrame(n: number | undefined, error: PartylineError): ErrorFrame {
  return {
    t: "error",
    ...(n === undefined ? {} : { n }),
    code: error.code,
    message: error.message,
    remedy: error.remedy,
    ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }),
  };
}

/** A gap as frames and SSE events carry it. */
export function gapFields(gap: Gap): GapFields {
  return {
    from: formatPosition(gap.from),
    to: formatPosition(gap.to),
    reason: gap.reason,
    ...(gap.lost === undefined ? {} : { lost: gap.lost }),
  };
}
