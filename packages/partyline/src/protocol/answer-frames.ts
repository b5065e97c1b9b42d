import type { PartylineError } from "./errors.ts";
import type { ErrorFrame, GapFields, ResultFrame, ServerFrame } from "./frames.ts";
import { formatPosition, type Position } from "./position.ts";
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

/** The frame that answers a publish. */
export function resultFrame(n: number, stored: { position: Position; duplicate: boolean }): ResultFrame {
  const position = formatPosition(stored.position);
  return stored.duplicate ? { t: "result", n, position, duplicate: true } : { t: "result", n, position };
}

/** A frame as a line. The answer that a busy publisher waits for is written by hand, in a third of the time. */
export function answerLine(frame: ServerFrame): string {
  if (frame.t !== "result" || frame.position === undefined) return JSON.stringify(frame);
  const { n, position, duplicate } = frame;
  return `{"t":"result","n":${n},"position":"${position}"${duplicate ? ',"duplicate":true}' : "}"}`;
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
