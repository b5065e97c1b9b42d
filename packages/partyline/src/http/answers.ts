import type { Appended, HistoryAnswer } from "../core/ports.ts";
import { gapFields } from "../protocol/answer-frames.ts";
import { type PartylineError, toProblem } from "../protocol/errors.ts";
import { formatPosition, type Position } from "../protocol/position.ts";
import { formatSse } from "../protocol/sse.ts";
import { historyFormat } from "../transports/formats.ts";
import { type Body, Pieces } from "../transports/pieces.ts";
import { bodyLength } from "./answer-body.ts";
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

/** A stream that ends with its first event: what it was refused for, and when to come back, ms. */
export function streamEndAnswer(error: PartylineError, retry: number): WholeAnswer {
  const event = { event: "error", retry: Math.ceil(retry), data: JSON.stringify(toProblem(error)) };
  return { is: "whole", status: 200, type: "text/event-stream", body: formatSse(event), headers: NO_HEADERS };
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

/** A page of history. @param draining Does the server go away, so that the next request may find another? */
export function historyAnswer(
  { pages, position, head, more, gap }: HistoryAnswer,
  draining: boolean = false,
): WholeAnswer {
  const body = new Pieces();
  body.add('{"messages":[');
  for (const [index, page] of pages.entries()) {
    if (index > 0) body.add(",");
    body.add(page.encoded(historyFormat));
  }
  const told = gap ? `,"gap":${JSON.stringify(gapFields(gap))}` : "";
  const ends = `"position":${quoted(position)},"head":${quoted(head)},"more":${more}${draining ? ',"draining":true' : ""}`;
  body.add(`],${ends}${told}}`);
  return { is: "whole", status: 200, type: JSON_TYPE, body: body.body(), headers: NO_HEADERS };
}

function quoted(position: Position | undefined): string {
  return position ? `"${formatPosition(position)}"` : "null";
}

/** Whether more readers may come: what load balancers ask for. */
export function probeAnswer(state: string, well: boolean): WholeAnswer {
  const body = JSON.stringify({ state });
  return { is: "whole", status: well ? 200 : 503, type: JSON_TYPE, body, headers: NO_HEADERS };
}

/** Lines of frames, of type `type`. */
export function linesAnswer(type: string, body: Body): WholeAnswer {
  return { is: "whole", status: 200, type, body, headers: NO_HEADERS };
}

/** Nothing but headers. */
export function emptyAnswer(headers: readonly string[]): WholeAnswer {
  return { is: "whole", status: 204, type: undefined, body: "", headers };
}

/** The headers that say what an answer's body is. */
export function contentHeaders({ type, body }: WholeAnswer): readonly string[] {
  if (type === undefined) return NO_HEADERS;
  const length = String(bodyLength(body));
  return ["Cache-Control", "no-store", "Content-Type", type, "Content-Length", length];
}
