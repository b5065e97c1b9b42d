import { gapFields } from "../../protocol/answer-frames.ts";
import type { AttachedFrame, AttachFrame } from "../../protocol/frames.ts";
import type { Keep } from "../../protocol/message.ts";
import { formatPosition, parsePosition, parseSince, type Since } from "../../protocol/position.ts";
import { defaultSince } from "../../protocol/since.ts";
import type { Channel } from "../channel.ts";
import type { Context } from "../context.ts";
import type { AttachAnswer, MaybePromise, Pace, Page } from "../ports.ts";

/**
 * Answers where a reader of a channel that this node follows begins. Of a position the broker decides, also where it is
 * this node's head: the log may have begun a new life that this node has not heard of.
 */
export function placeCursor(
  context: Context,
  channel: Channel,
  given: Since | undefined,
): MaybePromise<AttachAnswer> {
  const { head, spec } = channel;
  const since = given ?? defaultSince(spec.keep);
  const start = { position: head, gap: undefined, remaining: 0, epoch: head.epoch, head: head.offset };
  if (since.at === "now") return toAnswer(channel, start, 0);
  const placed = (page: Page | undefined): AttachAnswer => {
    if (!page) return toAnswer(channel, start, 0);
    const goesOn = page.gap === undefined && since.at === "position";
    return toAnswer(channel, page, goesOn ? (since.began ?? 0) : page.head);
  };
  const page = context.broker.read(spec, since, { messages: 0, bytes: 0 });
  return page instanceof Promise ? page.then(placed) : placed(page);
}

function toAnswer(channel: Channel, start: Omit<Page, "entries">, began: number): AttachAnswer {
  const { position, gap, remaining, epoch, head } = start;
  const keep: Keep = channel.spec.keep;
  return { channel, position, gap, head: { epoch, offset: head }, replayed: remaining, keep, began };
}

/**
 * Reads where an attach begins.
 *
 * @throws PartylineError `bad-position`.
 */
export function sinceOf({ since: text, began }: AttachFrame): Since | undefined {
  const since = parseSince(text);
  if (since?.at !== "position" || began === undefined) return since;
  const { epoch, offset } = parsePosition(began);
  return epoch === since.position.epoch ? { ...since, began: offset } : since;
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
  const { position, head, replayed, keep, gap, began } = answer;
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
    ...(keep === "latest" && began > position.offset
      ? { began: formatPosition({ epoch: position.epoch, offset: began }) }
      : {}),
  };
}
