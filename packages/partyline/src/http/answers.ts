import type { Appended, HistoryAnswer } from "../core/ports.ts";
import { gapFields } from "../protocol/answer-frames.ts";
import { entryFields } from "../protocol/entry-json.ts";
import { type PartylineError, toProblem } from "../protocol/errors.ts";
import { formatPosition, type Position } from "../protocol/position.ts";
import { NO_HEADERS, type WholeAnswer } from "./exchange.ts";

const JSON_TYPE = "application/json";

/** A refusal, as RFC 9457 has it. */
export function problemAnswer(error: PartylineError, headers: readonly string[] = NO_HEADERS): WholeAnswer {
  const retry = error.retryAfter === undefined ? [] : ["Retry-After", String(Math.ceil(error.retryAfter))];
  const challenge = error.status === 401 ? ["WWW-Authenticate", "Bearer"] : [];
  return {
    is: "whole",
    status: error.status,
    type: "application/problem+json",
    body: JSON.stringify(toProblem(error)),
    headers: [...headers, ...retry, ...challenge],
  };
}

/** A message is stored. Written by hand: this is the answer that a busy publisher waits for. */
export function publishedAnswer({ position, time, duplicate }: Appended): WholeAnswer {
  const fields = `{"position":"${formatPosition(position)}","time":${time}`;
  return {
    is: "whole",
    status: duplicate ? 200 : 201,
    type: JSON_TYPE,
    body: duplicate ? `${fields},"duplicate":true}` : `${fields}}`,
    headers: NO_HEADERS,
  };
}

/** A page of history. */
export function historyAnswer({ entries, position, head, more, gap }: HistoryAnswer): WholeAnswer {
  const messages = entries.map((entry) => `{${entryFields(entry)}}`).join(",");
  const told = gap ? `,"gap":${JSON.stringify(gapFields(gap))}` : "";
  const ends = `"position":${quoted(position)},"head":${quoted(head)},"more":${more}`;
  return {
    is: "whole",
    status: 200,
    type: JSON_TYPE,
    body: `{"messages":[${messages}],${ends}${told}}`,
    headers: NO_HEADERS,
  };
}

function quoted(position: Position | undefined): string {
  return position ? `"${formatPosition(position)}"` : "null";
}

/** Lines of frames, of type `type`. */
export function linesAnswer(type: string, body: string): WholeAnswer {
  return { is: "whole", status: 200, type, body, headers: NO_HEADERS };
}

/** Nothing but headers. */
export function emptyAnswer(headers: readonly string[]): WholeAnswer {
  return { is: "whole", status: 204, type: undefined, body: "", headers };
}
