import type { AttachAnswer, Grants, MaybePromise, Outgoing, Pace, Reader } from "../core/ports.ts";
import { gapFields } from "../protocol/answer-frames.ts";
import { PartylineError } from "../protocol/errors.ts";
import { formatPosition, type Since } from "../protocol/position.ts";
import { formatSse } from "../protocol/sse.ts";
import { rawSseFormat } from "./formats.ts";
import type { Parting } from "./registry.ts";
import type { Seat } from "./seat.ts";
import { StreamConnection } from "./stream-connection.ts";
import type { Surroundings } from "./surroundings.ts";

/** What browsers are told to wait before they reconnect, ms. */
export const RETRY = 2_000;

/** `/channels/{name}` as an event stream. */
export class RawSse extends StreamConnection {
  protected readonly delivery: Reader;
  #answer: AttachAnswer | undefined;

  constructor(surroundings: Surroundings, seat: Seat, grants: Grants) {
    super(surroundings, seat);
    this.delivery = surroundings.engine.open(this, grants);
  }

  /** Comes before `begin`, so that a refusal is still an answer of its own. */
  attach(channel: string, since: Since | undefined, pace: Pace | undefined): MaybePromise<void> {
    const answer = this.delivery.attach(channel, since, pace);
    if (answer instanceof Promise) return answer.then((late) => void (this.#answer = late));
    this.#answer = answer;
  }

  protected opened(): void {
    const answer = this.#answer;
    if (!answer) return;
    // Not needed again, for as long as the stream lives.
    this.#answer = undefined;
    this.send(firstEvent(answer, formatPosition(answer.position), {}, RETRY));
    this.delivery.start(answer.channel.name);
  }

  write(outgoing: Outgoing): boolean {
    const { item } = outgoing;
    if (item.is !== "detached") return this.share(outgoing, rawSseFormat, "raw");
    this.close(detachedError(item.code));
    return true;
  }

  get breaks(): boolean {
    return true;
  }

  leave(parting: Parting): void {
    const [position] = this.delivery.positions();
    this.end(drainEvent(position && formatPosition(position), parting));
  }
}

/** The event that opens a stream: where it stands, and whether something is missing. */
export function firstEvent(
  answer: AttachAnswer,
  id: string,
  fields: Readonly<Record<string, unknown>>,
  retry: number | undefined,
): string {
  const { gap, position, head, replayed } = answer;
  const data = gap
    ? { ...fields, ...gapFields(gap), head: formatPosition(head), replayed }
    : { ...fields, position: formatPosition(position), head: formatPosition(head), replayed };
  return formatSse({
    event: gap ? "gap" : "continuous",
    id,
    ...(retry === undefined ? {} : { retry }),
    data: JSON.stringify(data),
  });
}

/** The last event of a stream whose server goes away: when to come back, and from where. */
export function drainEvent(id: string | undefined, { retry }: Parting): string {
  return formatSse({
    event: "drain",
    ...(id === undefined ? {} : { id }),
    retry,
    data: JSON.stringify({ retry }),
  });
}

/** Why a stream of fixed channels ends when one is detached. */
export function detachedError(code: PartylineError["code"] | "detached"): PartylineError {
  return new PartylineError(code === "detached" ? "unknown-channel" : code, "The channel was detached.");
}
