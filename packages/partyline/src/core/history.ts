import { PartylineError } from "../protocol/errors.ts";
import type { Entry, Keep } from "../protocol/message.ts";
import type { Position } from "../protocol/position.ts";
import type { Gap } from "../protocol/since.ts";
import type { Channels } from "./channels.ts";
import type { Context } from "./context.ts";
import { mayDo } from "./grants.ts";
import { SharedItem } from "./outgoing.ts";
import type {
  AttachAnswer,
  ChannelRef,
  Connection,
  Grants,
  HistoryAnswer,
  HistoryRequest,
  Item,
  MaybePromise,
  Outgoing,
  Page,
} from "./ports.ts";
import { ChannelReader } from "./reader.ts";

/** Reads a page of what is kept, without making the channel or waiting for anything. */
export function readHistory(
  context: Context,
  channels: Channels,
  request: HistoryRequest,
  grants: Grants,
): MaybePromise<HistoryAnswer> {
  const channel = channels.get(request.channel);
  if (!mayDo(grants, "subscribe", channel.name))
    throw new PartylineError("forbidden", `Not allowed to read "${channel.name}".`);
  const messages = messageLimit(channel.spec.keep, request);
  const since = request.since ?? { at: "last", count: messages };
  const limit = { messages, bytes: context.limits.historyBytes };
  const page = context.broker.read(channel.spec, since, limit);
  return page instanceof Promise ? page.then((late) => toAnswer(channel, late)) : toAnswer(channel, page);
}

/**
 * A state is answered whole: its reader could not go on from the middle of it, once a deletion after that place was
 * forgotten.
 */
function messageLimit(keep: Keep, request: HistoryRequest): number {
  return keep === "latest" ? Number.MAX_SAFE_INTEGER : request.limit;
}

function toAnswer(channel: ChannelRef, page: Page | undefined): HistoryAnswer {
  if (!page) return { pages: [], position: undefined, head: undefined, more: false, gap: undefined };
  const { epoch, entries } = page;
  const first = entries[0];
  const last = entries.at(-1);
  return {
    pages: first
      ? [new SharedItem(channel, { is: "messages", epoch, after: first.offset - 1, entries })]
      : [],
    position: last ? { epoch, offset: last.offset } : page.position,
    head: { epoch, offset: page.head },
    more: entries.length < page.remaining,
    gap: page.gap,
  };
}

type Messages = Extract<Item, { is: "messages" }>;

/** The messages of an answer. */
export function historyEntries({ pages }: HistoryAnswer): readonly Entry[] {
  return pages.flatMap(({ item }) => (item.is === "messages" ? item.entries : []));
}

/**
 * A long poll: an attach that ends with the turn in which it was given something, or when its time is up. The same
 * cursor as that of a stream, so the same rules hold, gaps and skips among them.
 */
export async function pollHistory(
  context: Context,
  channels: Channels,
  request: HistoryRequest & { readonly wait: number },
  grants: Grants,
): Promise<HistoryAnswer> {
  const { keep } = channels.get(request.channel).spec;
  const gathered = new Gathered(messageLimit(keep, request), context.limits.historyBytes);
  const reader = new ChannelReader(context, channels, gathered, grants);
  try {
    const answer = await reader.attach(request.channel, request.since);
    gathered.begin(answer);
    reader.start(answer.channel.name);
    if (!gathered.complete) await waitFor(context, gathered, request);
    return gathered.answer(channels.get(request.channel).head);
  } finally {
    reader.closed();
  }
}

function waitFor(
  context: Context,
  gathered: Gathered,
  request: HistoryRequest & { wait: number },
): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      timer.cancel();
      request.signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = context.clock.setTimer(done, request.wait);
    request.signal?.addEventListener("abort", done);
    // What came in one turn is one answer: the batch is written at the turn's end, whole.
    gathered.onProgress = () => {
      if (gathered.complete) done();
    };
    if (request.signal?.aborted) done();
  });
}

/** A connection whose socket is an answer that is being put together. */
class Gathered implements Connection {
  readonly #messages: number;
  readonly #bytes: number;
  readonly #pages: Outgoing[] = [];
  #count = 0;
  #size = 0;
  #position: Position | undefined;
  #gap: Gap | undefined;
  /** Head when it began: what there was by then belongs to the answer. */
  #target: Position | undefined;
  #full = false;
  #failure: PartylineError | undefined;
  onProgress: (() => void) | undefined;

  constructor(messages: number, bytes: number) {
    this.#messages = messages;
    this.#bytes = bytes;
  }

  /** Is there what the answer can be given with? Catch-up that comes in several pages is gathered whole. */
  get complete(): boolean {
    return this.#full || this.#failure !== undefined || this.#hasNews();
  }

  #hasNews(): boolean {
    if (this.#count === 0 && this.#gap === undefined) return false;
    const [position, target] = [this.#position, this.#target];
    return !position || !target || position.epoch !== target.epoch || position.offset >= target.offset;
  }

  begin(answer: AttachAnswer): void {
    this.#position = answer.position;
    this.#gap = answer.gap;
    this.#target = answer.head;
  }

  write(outgoing: Outgoing): boolean {
    const { item } = outgoing;
    if (this.#full) return false;
    if (item.is === "messages") this.#take(outgoing, item);
    else if (item.is === "skip") this.#position = item.to;
    else if (item.is === "gap") this.#takeGap(item.gap);
    this.onProgress?.();
    return !this.#full;
  }

  /** An answer has one gap, before its messages: what follows some of them is told by the next answer. */
  #takeGap(gap: Gap): void {
    if (this.#count > 0) {
      this.#full = true;
      return;
    }
    this.#gap = this.#gap ? joinGaps(this.#gap, gap) : gap;
    this.#position = gap.to;
  }

  /** Takes what there is room for; an answer has one message at least. */
  #take(outgoing: Outgoing, item: Messages): void {
    let taken = 0;
    for (const { data } of item.entries) {
      const tooBig = this.#count > 0 && this.#size + data.length > this.#bytes;
      if (tooBig || this.#count >= this.#messages) break;
      taken += 1;
      this.#count += 1;
      this.#size += data.length;
    }
    const whole = taken === item.entries.length;
    this.#full = !whole || this.#count >= this.#messages;
    const entries = whole ? item.entries : item.entries.slice(0, taken);
    const last = entries.at(-1);
    if (!last) return;
    this.#position = { epoch: item.epoch, offset: last.offset };
    // What was cut is encoded for this answer alone.
    this.#pages.push(whole ? outgoing : new SharedItem(outgoing.channel, { ...item, entries }));
  }

  cork(): void {}

  uncork(): void {}

  close(reason: PartylineError): void {
    this.#failure = reason;
    this.onProgress?.();
  }

  /** @throws PartylineError what ended the reading. */
  answer(head: Position): HistoryAnswer {
    if (this.#failure) throw this.#failure;
    const position = this.#position ?? head;
    const more = position.epoch !== head.epoch || position.offset < head.offset;
    return { pages: this.#pages, position, head, more, gap: this.#gap };
  }
}

/** Two gaps with nothing between them are one. */
function joinGaps({ from, reason }: Gap, { to }: Gap): Gap {
  if (from.epoch !== to.epoch) return { from, to, reason: "epoch" };
  return { from, to, reason, lost: to.offset - from.offset };
}
