import { gapFields } from "../../protocol/answer-frames.ts";
import type { AttachedFrame, AttachFrame } from "../../protocol/frames.ts";
import type { Keep } from "../../protocol/message.ts";
import { formatPosition, type Since } from "../../protocol/position.ts";
import { defaultSince } from "../../protocol/since.ts";
import type { Channel } from "../channel.ts";
import type { Context } from "../context.ts";
import type { AttachAnswer, MaybePromise, Pace, Page } from "../ports.ts";

/** Where a cursor begins. */
export interface Place {
  readonly answer: AttachAnswer;
  /** See `began` of `Since`. */
  readonly began: number;
}

/**
 * Answers where a reader of a channel that this node follows begins. Of a position the broker decides, also where it is
 * this node's head: the log may have begun a new life that this node has not heard of.
 */
export function placeCursor(
  context: Context,
  channel: Channel,
  given: Since | undefined,
): MaybePromise<Place> {
  const { head, spec } = channel;
  const since = given ?? defaultSince(spec.keep);
  const start = { position: head, gap: undefined, remaining: 0, epoch: head.epoch, head: head.offset };
  if (since.at === "now") return { answer: toAnswer(channel, start), began: 0 };
  const placed = (page: Page | undefined): Place => {
    const fromNothing = page !== undefined && (page.gap !== undefined || since.at !== "position");
    return { answer: toAnswer(channel, page ?? start), began: fromNothing ? page.head : 0 };
  };
  const page = context.broker.read(spec, since, { messages: 0, bytes: 0 });
  return page instanceof Promise ? page.then(placed) : placed(page);
}

function toAnswer(channel: Channel, start: Omit<Page, "entries">): AttachAnswer {
  const { position, gap, remaining, epoch, head } = start;
  const keep: Keep = channel.spec.keep;
  return { channel, position, gap, head: { epoch, offset: head }, replayed: remaining, keep };
}

/**
 * What an attach asks for by `maxRate`.
 *
 * @param wait Seconds, where it is that of a long poll: the next one knows nothing of this one's deliveries, so one that
 * goes on from a position lets its interval pass first, as far as it lasts long enough.
 */
export function paceOf(
  { maxRate }: AttachFrame,
  since: Since | undefined,
  wait: number | undefined,
): Pace | undefined {
  if (maxRate === undefined) return undefined;
  const goesOn = wait !== undefined && since?.at === "position";
  return { maxRate, delay: goesOn ? Math.min(1 / maxRate, wait / 2) * 1_000 : 0 };
}

/** The frame that answers an attach. */
export function attachedFrame({ n, channel }: AttachFrame, answer: AttachAnswer): AttachedFrame {
  const { position, head, replayed, keep, gap } = answer;
  return {
    t: "attached",
    n,
    channel,
    c: answer.channel.number,
    position: formatPosition(position),
    head: formatPosition(head),
    replayed,
    keep,
    ...(gap ? { gap: gapFields(gap) } : {}),
  };
}
