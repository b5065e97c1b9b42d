import type { Keep } from "../protocol/message.ts";
import { PartylineError } from "../protocol/partyline-error.ts";
import { formatPosition, type Position } from "../protocol/position.ts";
import type {
  ChannelEvents,
  ChannelOptions,
  ChannelState,
  ChannelStatus,
  Freshness,
} from "./channel-types.ts";
import type { Core } from "./core.ts";
import { createEmitter } from "./emitter.ts";
import { fromErrorFrame, GapError } from "./errors.ts";
import { createInbox, type Inbox } from "./inbox.ts";
import type { ChannelReader } from "./link.ts";
import { type ChannelGap, type ChannelSkip, type Message, readMessage } from "./message.ts";
import type { Given } from "./options.ts";
import {
  jumpOf,
  type JumpFields,
  positionOf,
  readAttached,
  readJump,
  readMark,
  readOffset,
  type Verdict,
} from "./read-log.ts";

/** The reading half of a channel. */
export interface Subscription extends ChannelReader {
  readonly state: ChannelState;
  readonly keep: () => Keep;
  readonly position: string | undefined;
  readonly head: string | undefined;
  readonly asOf: number | undefined;
  readonly freshness: Freshness | undefined;
  /** Should this channel be attached? */
  wanted(): boolean;
  messages(options?: { readonly signal?: AbortSignal }): AsyncIterableIterator<Message, void>;
  on<E extends keyof ChannelEvents<unknown>>(
    event: E,
    listener: (value: ChannelEvents<unknown>[E]) => void,
  ): () => void;
  detach(): void;
  resume(): void;
  close(error: PartylineError | undefined): void;
  /** A link is there that has refused nothing yet. */
  connected(): void;
  /** The stream that was asked last is gone; `live` where another one goes on. */
  interrupted(live: boolean): void;
}

/** A message, gap or skip on its way to the application, or waiting behind a gap. */
type Item = { readonly size: number } & (
  | { readonly message: Message; readonly skip?: undefined }
  /** With a `gap`, that is what `skip` is. */
  | { readonly skip: ChannelSkip; readonly gap: ChannelGap | undefined }
);

/** Attaching again without getting further is a fault that asking more often does not cure. */
const MAX_TROUBLE = 3;

/** Awaited is the reply to an attach that has been asked for and not been sent. */
const ASKED = {};

export function createSubscription(name: string, options: Given<ChannelOptions>, core: Core): Subscription {
  const { limits, runtime } = core;
  const events = createEmitter<ChannelEvents<unknown>>(runtime.report);
  let inboxes: Inbox<Message>[] = [];
  /** As the server said. */
  let known: Keep | undefined;
  let cursor: Position | undefined;
  /** Where it was before it moved last. */
  let before: Position | undefined;
  let head: Position | undefined;
  /** See `AttachFrame`. */
  let began: string | undefined;
  /** 0 before the server has vouched for the cursor. */
  let asOf = 0;
  /** When that was heard, by the machine's clock, which goes on while the machine sleeps. */
  let heardAt = 0;
  let state: ChannelState = { status: "detached" };
  /** The stream whose reply to the newest attach is awaited: until then what comes belongs to the attach before it. */
  let awaiting: object | undefined;
  /**
   * Streams on which this reader asked. One that was opened beside the present one may have asked a reader of this channel
   * that is closed by now; what it replies is that reader's position.
   */
  const asked = new WeakSet<object>();
  let mode: "reading" | "detached" | "refused" | "closed" = "reading";
  /** What the server said last, until it attached the channel. */
  let error: PartylineError | undefined;
  /** Refusals, and attaches that brought nothing, since the last message or mark. The reply to an attach is no progress. */
  let trouble = 0;
  let stopRetry: (() => void) | undefined;
  /** A gap waits for a decision; what comes behind it waits here. */
  let held: Item[] | undefined;
  let heldBytes = 0;
  let attached = false;
  /** The developer knows that nobody listens for gaps. */
  let isWarned = false;

  const keeps = (): Keep => known ?? options.keep ?? "history";
  const isLagging = (): boolean =>
    (!events.has("message") && inboxes.some((inbox) => inbox.full)) ||
    (!!held && (held.length >= limits.bufferedMessages || heldBytes >= limits.bufferedBytes));
  /** Is there anybody to tell of such an event, be it by an iterator? */
  const isRead = (event: "message" | "gap"): boolean => inboxes.length > 0 || events.has(event);
  const isWanted = (): boolean => mode === "reading" && !stopRetry && isRead("message") && !isLagging();

  const status = (): ChannelStatus => {
    if (mode !== "reading") return mode;
    if (!isRead("message")) return "detached";
    if (held) return "held";
    if (isLagging()) return "lagging";
    return attached ? "attached" : "attaching";
  };
  /** Something that decides about being attached has changed. */
  const update = (): void => {
    // Nobody is left whom a gap could be told: whoever comes next decides by coming.
    if (!isRead("message")) held = undefined;
    attached &&= isWanted();
    const now = status();
    if (now !== state.status || error !== state.error) {
      state = { status: now, error };
      events.emit("state", state);
    }
    core.link?.sync();
  };
  const endAll = (reason: PartylineError | undefined): void => {
    for (const inbox of inboxes) inbox.end(reason);
    update();
  };

  const deliver = (item: Item): void => {
    if (held) {
      held.push(item);
      heldBytes += item.size;
    } else if (item.skip) {
      if (item.gap) tellGap(item.gap);
      else events.emit("skip", item.skip);
    } else {
      for (const inbox of inboxes) {
        // Listeners wait for no iterator: it may be abandoned.
        if (inbox.full && events.has("message"))
          inbox.end(new PartylineError("overloaded", "No room.", { remedy: "Read faster." }));
        else inbox.push(item.message, item.size);
      }
      events.emit("message", item.message);
    }
  };
  const release = (): void => {
    const items = held;
    held = undefined;
    items?.forEach(deliver);
    update();
  };
  const tellGap = (gap: ChannelGap): void => {
    const { onGap } = options;
    const goesOn = onGap === "continue" || keeps() !== "history";
    const fail = (cause?: unknown): void => {
      const failure = new GapError(gap, cause);
      if (!isRead("gap") && !isWarned) {
        isWarned = true;
        runtime.warn(failure.message, failure.remedy);
      }
      endAll(failure);
    };
    if (onGap && !goesOn) {
      held = [];
      heldBytes = 0;
    }
    events.emit("gap", gap);
    // A listener may have called resume() by now.
    if (goesOn || (onGap && !held)) return;
    if (typeof onGap === "function") Promise.resolve(gap).then(onGap).then(release, fail);
    else fail();
  };

  const retryLater = (): void => {
    stopRetry?.();
    stopRetry = core.afterBackoff(++trouble, error, () => {
      stopRetry = undefined;
      update();
    });
    update();
  };
  const refuse = (refusal: PartylineError): void => {
    awaiting = undefined;
    error = refusal;
    if (error.retryable) retryLater();
    else {
      mode = "refused";
      endAll(error);
    }
  };
  /** Does what the reader's rule says; `false` where the frame does not count. */
  const follow = (verdict: Verdict): boolean => {
    if (typeof verdict === "object") {
      before = cursor;
      cursor = verdict;
      if (head?.epoch !== cursor.epoch || head.offset < cursor.offset) head = cursor;
      return true;
    }
    // While a reply is awaited, what is missing will come behind it.
    if (verdict === "reattach" && !awaiting) {
      if (++trouble > MAX_TROUBLE) retryLater();
      else {
        awaiting = ASKED;
        core.link?.reattach(name);
      }
    }
    return false;
  };
  const vouched = (time: number): void => {
    if (time > asOf) asOf = time;
    heardAt = runtime.date();
  };
  const jumped = ({ from, to, reason, lost }: JumpFields): void => {
    // From where this reader was: during a hand-over that is beyond where the stream was asked from.
    const skip: ChannelSkip = { channel: name, from: before ? formatPosition(before) : from, to };
    const missed = lost && before ? Math.max(0, (cursor as Position).offset - before.offset) : lost;
    deliver({ skip, gap: reason && { ...skip, reason, lost: missed }, size: 0 });
  };

  return {
    get state() {
      return state;
    },
    keep: keeps,
    wanted: isWanted,
    get position() {
      return cursor && formatPosition(cursor);
    },
    get head() {
      return head && formatPosition(head);
    },
    get asOf() {
      return asOf || undefined;
    },
    get freshness() {
      if (!cursor || !head || !asOf) return undefined;
      const age = Math.max(core.brokerTime() - asOf, runtime.date() - heardAt, 0);
      return { age, behind: head.offset - cursor.offset };
    },
    messages({ signal } = {}) {
      const abort = (): void => inbox.end();
      const inbox = createInbox<Message>(limits, update, () => {
        signal?.removeEventListener("abort", abort);
        inboxes = inboxes.filter((other) => other !== inbox);
        update();
      });
      signal?.addEventListener("abort", abort);
      inboxes.push(inbox);
      if (mode === "refused" || mode === "closed" || signal?.aborted) inbox.end(error);
      update();
      return inbox.iterator;
    },
    on(event, listener) {
      const off = events.on(event, listener);
      update();
      return () => {
        off();
        update();
      };
    },
    detach() {
      if (mode === "reading") mode = "detached";
      update();
    },
    resume() {
      if (mode === "closed") return;
      mode = "reading";
      error = undefined;
      release();
    },
    close(reason) {
      mode = "closed";
      error = reason;
      stopRetry?.();
      endAll(reason);
    },
    attaching(stream) {
      awaiting = stream;
      asked.add(stream);
      const { since, maxRate = Infinity } = options;
      return {
        since: cursor ? formatPosition(cursor) : since,
        began,
        maxRate: maxRate < Infinity ? maxRate : undefined,
      };
    },
    attached(frame, stream) {
      // A reply to an attach before the newest counts too: links and rounds end when the next one is welcomed, so it
      // can't come after the reply that replaces it.
      if (awaiting === stream) awaiting = undefined;
      if (!isWanted()) return;
      const { gap } = frame;
      known = frame.keep;
      attached = true;
      error = undefined;
      const position = positionOf(frame.position);
      const verdict = asked.has(stream)
        ? readAttached(cursor, position, gap && jumpOf(gap), known)
        : "reattach";
      // Before it is held against the cursor: during a hand-over the other stream may have come further.
      if (typeof verdict === "object") {
        head = positionOf(frame.head);
        ({ began } = frame);
      }
      if (follow(verdict)) {
        if (frame.head === frame.position) vouched(core.brokerTime());
        if (gap) jumped(gap);
      }
      update();
    },
    refused: (frame) => refuse(fromErrorFrame(frame)),
    frame(frame, epoch, size) {
      // A full reader takes nothing more: the cursor stays where it is, and the log has the rest.
      if (!isWanted()) return;
      switch (frame.t) {
        case "m": {
          const position = { epoch, offset: frame.offset };
          if (!follow(readOffset(cursor, position))) break;
          trouble = 0;
          vouched(frame.time);
          deliver({ message: readMessage(name, epoch, frame), size });
          if (isLagging()) update();
          break;
        }
        case "gap":
        case "skip":
          if (follow(readJump(cursor, epoch, jumpOf(frame), keeps()))) jumped(frame);
          break;
        case "mark": {
          const position = positionOf(frame.position);
          if (!follow(readMark(cursor, position))) break;
          trouble = 0;
          vouched(frame.time);
          events.emit("mark", { position: frame.position, time: frame.time });
          break;
        }
        case "stale":
          events.emit("stale", { since: frame.since });
          break;
        case "detached":
          if (frame.code !== "detached")
            refuse(
              new PartylineError(frame.code, `"${name}" was detached.`, {
                remedy: "Call resume().",
              }),
            );
      }
    },
    connected() {
      stopRetry?.();
      // What the connection before was asked last is never answered now; what comes is held against the cursor.
      stopRetry = awaiting = undefined;
    },
    interrupted(live) {
      awaiting = undefined;
      attached &&= live;
      update();
    },
  };
}
