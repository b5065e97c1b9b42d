import type { AttachedFrame, ErrorFrame, MessageFrame } from "../protocol/frames.ts";
import type { Keep } from "../protocol/message.ts";
import { PartylineError } from "../protocol/partyline-error.ts";
import { formatPosition, type Position, readPosition } from "../protocol/position.ts";
import type { ChannelEvents, ChannelOptions, ChannelState, ChannelStatus } from "./channel-types.ts";
import type { Emitter } from "./emitter.ts";
import { fromErrorFrame, GapError } from "./errors.ts";
import { createInbox, type Inbox, type InboxLimits } from "./inbox.ts";
import type { ChannelFrame } from "./link.ts";
import { type ChannelGap, type Message, readMessage } from "./message.ts";
import { type Jump, readLog } from "./read-log.ts";
import type { Stream } from "./stream.ts";

/** What the reading half of a channel needs. */
export interface SubscriptionPort {
  readonly events: Emitter<ChannelEvents<unknown>>;
  readonly limits: InboxLimits;
  /** What should be attached has changed. */
  sync(): void;
  /** Attach this channel again from its position, although it is attached. */
  reattach(): void;
  /** Calls once after the time that is due after so many refusals; the returned function calls it off. */
  afterBackoff(refusals: number, retryAfter: number | undefined, run: () => void): () => void;
  /** The broker's clock, ms. */
  brokerTime(): number;
  report(error: unknown): void;
}

/** The reading half of a channel. */
export interface Subscription {
  readonly state: ChannelState;
  readonly keep: Keep;
  readonly position: string | undefined;
  readonly head: string | undefined;
  readonly asOf: number | undefined;
  /** Should this channel be attached? */
  readonly wanted: boolean;
  messages(signal: AbortSignal | undefined): AsyncIterableIterator<Message, void>;
  /** Listeners came or went. */
  readersChanged(): void;
  detach(): void;
  resume(): void;
  close(error: PartylineError | undefined): void;
  attaching(stream: Stream): string | undefined;
  attached(frame: AttachedFrame, stream: Stream): void;
  refused(frame: ErrorFrame, stream: Stream): void;
  frame(frame: ChannelFrame, epoch: string, size: number): void;
  /** There is no connection. */
  disconnected(): void;
  /** The stream that was asked last is gone, while another one goes on. */
  abandoned(): void;
}

/** What waits behind a gap: messages, and further gaps in their place. */
type Held = { readonly message: Message; readonly size: number } | { readonly gap: ChannelGap };

/** Attaching again without getting further is a fault that asking more often does not cure. */
const MAX_FRUITLESS = 3;

export function createSubscription(
  name: string,
  options: ChannelOptions,
  port: SubscriptionPort,
): Subscription {
  const { events, limits } = port;
  const inboxes = new Set<Inbox<Message>>();
  let keep: Keep = options.keep ?? "history";
  let cursor: Position | undefined;
  let head: Position | undefined;
  let asOf: number | undefined;
  let state: ChannelState = { status: "detached" };
  /** The stream whose reply to an attach is awaited: until then what comes belongs to the attach before it. */
  let awaiting: Stream | undefined;
  let paused = false;
  let refusal: PartylineError | undefined;
  let refusals = 0;
  let fruitless = 0;
  let stopRetry: (() => void) | undefined;
  /** A gap waits for a decision; what comes behind it waits here. */
  let held: Held[] | undefined;
  let heldBytes = 0;
  let attached = false;
  let closed = false;

  const isLagging = (): boolean =>
    [...inboxes].some((inbox) => inbox.full) ||
    (held !== undefined && (held.length >= limits.bufferedMessages || heldBytes >= limits.bufferedBytes));
  const isRead = (): boolean => inboxes.size > 0 || events.count("message") > 0;
  const isWanted = (): boolean => !closed && !paused && !refusal && !stopRetry && isRead() && !isLagging();

  const status = (): ChannelStatus => {
    if (closed) return "closed";
    if (refusal) return "refused";
    if (!isRead() || paused) return "detached";
    if (held) return "held";
    if (isLagging()) return "lagging";
    return attached ? "attached" : "attaching";
  };
  const update = (error: PartylineError | undefined = refusal): void => {
    if (!isWanted()) attached = false;
    const now = status();
    if (now === state.status && error === state.error) return;
    state = error ? { status: now, error } : { status: now };
    events.emit("state", state);
  };
  const changed = (): void => {
    // Nobody is left whom the gap could be told: whoever comes next decided by coming.
    if (!isRead()) held = undefined;
    update();
    port.sync();
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
    const waiting = held ?? [];
    held = undefined;
    heldBytes = 0;
    for (const item of waiting) deliver(item);
    changed();
  };
  const failGap = (gap: ChannelGap, cause?: unknown): void => {
    const error = new GapError(gap, cause);
    const heard = inboxes.size > 0 || events.count("gap") > 0;
    for (const inbox of inboxes) inbox.fail(error);
    inboxes.clear();
    if (!heard) port.report(error);
    changed();
  };
  const tellGap = (gap: ChannelGap): void => {
    const { onGap = "fail" } = options;
    const decides = keep === "history" && onGap !== "continue";
    if (decides) held = [];
    events.emit("gap", gap);
    // A listener may have called resume() by now.
    if (!decides || !held) return;
    if (onGap === "fail") {
      failGap(gap);
      return;
    }
    update();
    Promise.resolve(gap)
      .then(onGap)
      .then(release, (cause: unknown) => failGap(gap, cause));
  };

  /** Moves the cursor, and tells whether something is missing. */
  const jumped = (jump: Jump, lost: number | undefined): void => {
    const [from, to] = [formatPosition(jump.from), formatPosition(jump.to)];
    if (!jump.reason) events.emit("skip", { channel: name, from, to });
    else {
      const gap = { channel: name, from, to, reason: jump.reason };
      deliver({ gap: lost === undefined ? gap : { ...gap, lost } });
    }
  };
  const askAgain = (): void => {
    // While a reply is awaited, what is missing will come behind it.
    if (awaiting) return;
    fruitless++;
    if (fruitless > MAX_FRUITLESS) retryLater(undefined, undefined);
    else port.reattach();
  };
  const retryLater = (error: PartylineError | undefined, retryAfter: number | undefined): void => {
    refusals++;
    stopRetry = port.afterBackoff(refusals, retryAfter, () => {
      stopRetry = undefined;
      fruitless = 0;
      changed();
    });
    attached = false;
    update(error);
    port.sync();
  };
  const refuse = (error: PartylineError): void => {
    attached = false;
    awaiting = undefined;
    if (error.retryable) {
      retryLater(error, error.retryAfter);
      return;
    }
    refusal = error;
    for (const inbox of inboxes) inbox.fail(error);
    inboxes.clear();
    changed();
  };

  return {
    get state() {
      return state;
    },
    get keep() {
      return keep;
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
    messages(signal) {
      const inbox = createInbox<Message>(limits, {
        drained: changed,
        left() {
          signal?.removeEventListener("abort", inbox.end);
          inboxes.delete(inbox);
          changed();
        },
      });
      if (refusal) inbox.fail(refusal);
      else if (closed || signal?.aborted) inbox.end();
      else {
        inboxes.add(inbox);
        signal?.addEventListener("abort", inbox.end);
        changed();
      }
      return inbox.iterator;
    },
    readersChanged: changed,
    detach() {
      paused = true;
      changed();
    },
    resume() {
      paused = false;
      refusal = undefined;
      release();
    },
    close(error) {
      closed = true;
      stopRetry?.();
      for (const inbox of inboxes) {
        if (error) inbox.fail(error);
        else inbox.end();
      }
      inboxes.clear();
      held = undefined;
      changed();
    },
    attaching(stream) {
      awaiting = stream;
      return cursor ? formatPosition(cursor) : options.since;
    },
    attached(frame, stream) {
      if (awaiting !== stream) return;
      awaiting = undefined;
      const position = readPosition(frame.position);
      if (!position || !isWanted()) return;
      keep = frame.keep;
      head = readPosition(frame.head);
      refusals = 0;
      attached = true;
      const gap = frame.gap && readJump(frame.gap);
      const reading = readLog(cursor, { t: "attached", position, gap }, keep);
      const told = gap && cursor !== reading.cursor;
      cursor = reading.cursor;
      if (frame.head === frame.position) asOf = port.brokerTime();
      update();
      if (gap && told) jumped(gap, frame.gap?.lost);
      if (reading.verdict === "reattach") askAgain();
    },
    refused(frame, stream) {
      if (awaiting === stream) refuse(fromErrorFrame(frame));
    },
    frame(frame, epoch, size) {
      // A full reader takes nothing more: the cursor stays where it is, and the log has the rest.
      if (!isWanted()) return;
      switch (frame.t) {
        case "m":
          return readMessageFrame(frame, epoch, size);
        case "gap":
        case "skip": {
          const jump = readJump(frame);
          const reading = jump && readLog(cursor, { t: "jump", epoch, jump }, keep);
          if (!jump || reading?.verdict !== "take") return;
          cursor = reading.cursor;
          raiseHead(jump.to);
          jumped(jump, frame.t === "gap" ? frame.lost : undefined);
          return;
        }
        case "mark": {
          const position = readPosition(frame.position);
          if (!position || position.epoch !== cursor?.epoch) return;
          raiseHead(position);
          if (readLog(cursor, { t: "mark", position }, keep).verdict === "reattach") {
            askAgain();
            return;
          }
          asOf = Math.max(asOf ?? 0, frame.time);
          events.emit("mark", { position: frame.position, time: frame.time });
          return;
        }
        case "stale":
          events.emit("stale", { since: frame.since });
          return;
        case "detached":
          if (frame.code === "detached") return;
          refuse(
            new PartylineError(frame.code, `The server detached "${name}".`, {
              remedy: "Call resume() when this client may read the channel again.",
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
      fruitless = 0;
      update();
    },
  };

  function readMessageFrame(frame: MessageFrame, epoch: string, size: number): void {
    const reading = readLog(cursor, { t: "message", epoch, offset: frame.offset }, keep);
    if (reading.verdict === "reattach") askAgain();
    if (reading.verdict !== "take" || !reading.cursor) return;
    cursor = reading.cursor;
    fruitless = 0;
    raiseHead(cursor);
    asOf = Math.max(asOf ?? 0, frame.time);
    deliver({ message: readMessage(name, epoch, frame), size });
    if (isLagging()) changed();
  }

  function raiseHead(position: Position): void {
    if (head?.epoch !== position.epoch || head.offset < position.offset) head = position;
  }
}

function readJump(fields: { from: string; to: string; reason?: Jump["reason"] }): Jump | undefined {
  const [from, to] = [readPosition(fields.from), readPosition(fields.to)];
  if (!from || !to) return undefined;
  return fields.reason ? { from, to, reason: fields.reason } : { from, to };
}
