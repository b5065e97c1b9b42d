import type { GapFields } from "../protocol/frames.ts";
import type { Keep } from "../protocol/message.ts";
import { PartylineError } from "../protocol/partyline-error.ts";
import { formatPosition, type Position } from "../protocol/position.ts";
import type { ChannelEvents, ChannelOptions, ChannelState, ChannelStatus } from "./channel-types.ts";
import type { Core } from "./core.ts";
import { createEmitter } from "./emitter.ts";
import { fromErrorFrame, GapError } from "./errors.ts";
import { createInbox, type Inbox } from "./inbox.ts";
import type { ChannelReader } from "./link.ts";
import { type ChannelGap, type ChannelSkip, type Message, readMessage } from "./message.ts";
import {
  type Jump,
  positionOf,
  readAttached,
  readJump,
  readMark,
  readOffset,
  type Verdict,
} from "./read-log.ts";
import type { Stream } from "./stream.ts";

/** The reading half of a channel. */
export interface Subscription extends ChannelReader {
  readonly state: ChannelState;
  readonly keep: Keep;
  readonly position: string | undefined;
  readonly head: string | undefined;
  readonly asOf: number | undefined;
  /** Should this channel be attached? */
  readonly wanted: boolean;
  messages(options?: { readonly signal?: AbortSignal }): AsyncIterableIterator<Message, void>;
  on<E extends keyof ChannelEvents<unknown>>(
    event: E,
    listener: (value: ChannelEvents<unknown>[E]) => void,
  ): () => void;
  detach(): void;
  resume(): void;
  close(error: PartylineError | undefined): void;
  /** There is no connection. */
  disconnected(): void;
  /** The stream that was asked last is gone, while another one goes on. */
  abandoned(): void;
}

/** What waits behind a gap: messages, and further gaps in their place. */
type Held = { readonly message: Message; readonly size: number } | { readonly gap: ChannelGap };

/** Attaching again without getting further is a fault that asking more often does not cure. */
const MAX_TROUBLE = 3;

export function createSubscription(name: string, options: ChannelOptions, core: Core): Subscription {
  const { limits, runtime } = core;
  const events = createEmitter<ChannelEvents<unknown>>(runtime.report);
  const inboxes = new Set<Inbox<Message>>();
  /** As the server said. */
  let known: Keep | undefined;
  let cursor: Position | undefined;
  let head: Position | undefined;
  let asOf: number | undefined;
  let state: ChannelState = { status: "detached" };
  /** The stream whose reply to an attach is awaited: until then what comes belongs to the attach before it. */
  let awaiting: Stream | "asked" | undefined;
  let mode: "reading" | "paused" | "closed" = "reading";
  /** The server refuses the channel for good. */
  let refusal: PartylineError | undefined;
  /** Refusals, and attaches that brought nothing, since the last message. */
  let trouble = 0;
  let stopRetry: (() => void) | undefined;
  /** A gap waits for a decision; what comes behind it waits here. */
  let held: Held[] | undefined;
  let heldBytes = 0;
  let attached = false;

  const keeps = (): Keep => known ?? options.keep ?? "history";
  const isLagging = (): boolean =>
    [...inboxes].some((inbox) => inbox.full) ||
    (held !== undefined && (held.length >= limits.bufferedMessages || heldBytes >= limits.bufferedBytes));
  const isRead = (): boolean => inboxes.size + events.count("message") > 0;
  const isWanted = (): boolean => mode === "reading" && !refusal && !stopRetry && isRead() && !isLagging();

  const status = (): ChannelStatus => {
    if (mode === "closed") return mode;
    if (refusal) return "refused";
    if (!isRead() || mode === "paused") return "detached";
    if (held) return "held";
    if (isLagging()) return "lagging";
    return attached ? "attached" : "attaching";
  };
  /** Something that decides about being attached has changed. */
  const update = (error: PartylineError | undefined = refusal): void => {
    // Nobody is left whom a gap could be told: whoever comes next decides by coming.
    if (!isRead()) held = undefined;
    attached &&= isWanted();
    const now = status();
    if (now !== state.status || error !== state.error) {
      state = error ? { status: now, error } : { status: now };
      events.emit("state", state);
    }
    core.link?.sync();
  };
  const failAll = (error: PartylineError | undefined): void => {
    for (const inbox of inboxes) inbox.end(error);
    inboxes.clear();
  };

  const deliver = (item: Held): void => {
    if (held) {
      held.push(item);
      heldBytes += "gap" in item ? 0 : item.size;
    } else if ("gap" in item) {
      tellGap(item.gap);
    } else {
      for (const inbox of inboxes) inbox.push(item.message, item.size);
      events.emit("message", item.message);
    }
  };
  const release = (): void => {
    const items = held ?? [];
    held = undefined;
    heldBytes = 0;
    items.forEach(deliver);
    update();
  };
  const tellGap = (gap: ChannelGap): void => {
    const { onGap = "fail" } = options;
    const decides = keeps() === "history" && onGap !== "continue";
    const fail = (cause?: unknown): void => {
      const error = new GapError(gap, cause);
      if (isRead() && inboxes.size + events.count("gap") === 0) runtime.report(error);
      failAll(error);
      update();
    };
    if (decides) held = [];
    events.emit("gap", gap);
    // A listener may have called resume() by now.
    if (!decides || !held) return;
    if (onGap === "fail") fail();
    else Promise.resolve(gap).then(onGap).then(release, fail);
  };

  const retryLater = (error?: PartylineError): void => {
    stopRetry?.();
    stopRetry = core.afterBackoff(++trouble, error, () => {
      stopRetry = undefined;
      update();
    });
    update(error);
  };
  const refuse = (error: PartylineError): void => {
    awaiting = undefined;
    if (error.retryable) {
      retryLater(error);
      return;
    }
    refusal = error;
    failAll(error);
    update();
  };
  /** Does what the reader's rule says; `false` where the frame does not count. */
  const follow = (verdict: Verdict): boolean => {
    if (typeof verdict === "object") {
      cursor = verdict;
      return true;
    }
    // While a reply is awaited, what is missing will come behind it.
    if (verdict === "reattach" && !awaiting) {
      if (++trouble > MAX_TROUBLE) retryLater();
      else {
        awaiting = "asked";
        core.link?.reattach(name);
      }
    }
    return false;
  };
  const seen = (position: Position, time: number): void => {
    if (head?.epoch !== position.epoch || head.offset < position.offset) head = position;
    asOf = Math.max(asOf ?? 0, time);
  };
  const jumped = ({ from, to, reason, lost }: JumpFields): void => {
    const skip: ChannelSkip = { channel: name, from, to };
    if (reason) deliver({ gap: { ...skip, reason, lost } });
    else events.emit("skip", skip);
  };

  return {
    get state() {
      return state;
    },
    get keep() {
      return keeps();
    },
    get position() {
      return cursor && formatPosition(cursor);
    },
    get head() {
      return head && formatPosition(head);
    },
    get asOf() {
      return asOf;
    },
    get wanted() {
      return isWanted();
    },
    messages({ signal } = {}) {
      const abort = (): void => inbox.end();
      const inbox = createInbox<Message>(limits, update, () => {
        signal?.removeEventListener("abort", abort);
        if (inboxes.delete(inbox)) update();
      });
      if (refusal || mode === "closed" || signal?.aborted) inbox.end(refusal);
      else {
        signal?.addEventListener("abort", abort);
        inboxes.add(inbox);
        update();
      }
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
      mode = "paused";
      update();
    },
    resume() {
      mode = "reading";
      refusal = undefined;
      release();
    },
    close(error) {
      mode = "closed";
      stopRetry?.();
      failAll(error);
      update(error);
      events.clear();
    },
    attaching(stream) {
      awaiting = stream;
      return cursor ? formatPosition(cursor) : options.since;
    },
    attached(frame, stream) {
      if (awaiting !== stream || !isWanted()) return;
      awaiting = undefined;
      const { gap } = frame;
      known = frame.keep;
      attached = true;
      const position = positionOf(frame.position);
      const counts = follow(readAttached(cursor, position, gap && jumpOf(gap), known));
      head = positionOf(frame.head);
      if (frame.head === frame.position) {
        trouble = 0;
        asOf = core.brokerTime();
      }
      if (gap && counts) jumped(gap);
      update();
    },
    refused(frame, stream) {
      if (awaiting === stream) refuse(fromErrorFrame(frame));
    },
    frame(frame, epoch, size) {
      // A full reader takes nothing more: the cursor stays where it is, and the log has the rest.
      if (!isWanted()) return;
      switch (frame.t) {
        case "m": {
          const position = { epoch, offset: frame.offset };
          if (!follow(readOffset(cursor, position))) break;
          trouble = 0;
          seen(position, frame.time);
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
          seen(position, frame.time);
          events.emit("mark", { position: frame.position, time: frame.time });
          break;
        }
        case "stale":
          events.emit("stale", { since: frame.since });
          break;
        case "detached":
          if (frame.code !== "detached")
            refuse(
              new PartylineError(frame.code, `The server has detached "${name}".`, {
                remedy: "Call resume().",
              }),
            );
      }
    },
    abandoned() {
      awaiting = undefined;
    },
    disconnected() {
      awaiting = undefined;
      attached = false;
      update();
    },
  };
}

/** A gap's fields, or a skip's. */
type JumpFields = Omit<GapFields, "reason"> & Partial<Pick<GapFields, "reason">>;

function jumpOf({ from, to, reason }: JumpFields): Jump {
  return { from: positionOf(from), to: positionOf(to), reason };
}
