import type { ChannelRef, Item, WireFormat } from "../core/ports.ts";
import { gapFields } from "../protocol/answer-frames.ts";
import { entryFields } from "../protocol/entry-json.ts";
import { ERRORS } from "../protocol/errors.ts";
import type { Entry } from "../protocol/message.ts";
import { formatPosition } from "../protocol/position.ts";
import { eventsMessageData, rawSseMessage } from "../protocol/raw-sse.ts";
import { formatSse, type SseEvent } from "../protocol/sse.ts";
import type { GzipPiece } from "./gzip-piece.ts";
import { forEachEntry, itemLines } from "./item-lines.ts";
import { isLarge, type Piece, shareable } from "./pieces.ts";
import { type StreamBytes, streamBytes } from "./stream-bytes.ts";
import { BINARY_FRAME, frameLength, textFrame, TEXT_FRAME, writeFrameHeader } from "./websocket-frame.ts";

const NOTHING: Buffer = Buffer.alloc(0);

/** One frame for each message, with nothing around it; deletions, skips and marks have no place there. */
export const rawWebSocketFormat: WireFormat<Buffer> = {
  slot: 0,
  encode(_channel, item) {
    if (item.is !== "messages") return NOTHING;
    let length = 0;
    for (const entry of item.entries) if (entry.kind !== "deleted") length += frameLength(entry.data.length);
    const frames = Buffer.allocUnsafe(length);
    let at = 0;
    for (const entry of item.entries) {
      if (entry.kind === "deleted") continue;
      const opcode = entry.kind === "binary" ? BINARY_FRAME : TEXT_FRAME;
      at = writeFrameHeader(frames, at, opcode, entry.data.length);
      frames.set(entry.data, at);
      at += entry.data.length;
    }
    return frames;
  },
};

/** One text frame with a line for each message. */
export const connectWebSocketFormat: WireFormat<Buffer> = {
  slot: 1,
  encode: (channel, item) => textFrame(itemLines(channel, item)),
};

/** Blocks of `/channels/{name}` as an event stream. */
export const rawSseFormat: WireFormat<StreamBytes> = {
  slot: 2,
  encode(_channel, item) {
    if (item.is !== "messages") return streamBytes(formatSse(itemEvent(item)));
    let blocks = "";
    forEachEntry(
      item,
      (entry) => (blocks += rawSseMessage(item.epoch, entry)),
      (from, to) => (blocks += formatSse({ event: "skip", id: to, data: JSON.stringify({ from, to }) })),
    );
    return streamBytes(blocks);
  },
};

/** One event with a line for each message. */
export const connectSseFormat: WireFormat<StreamBytes> = {
  slot: 3,
  encode: (channel, item) => streamBytes(formatSse({ data: itemLines(channel, item) })),
};

/** What one position of an `/events` stream is followed by: all but the `id:` line, which each reader has its own of. */
export interface EventsPart {
  /** The epoch and offset that the reader has after it, where that is another than before. */
  readonly epoch: string | undefined;
  readonly offset: number;
  /** Text, or where it is large what all readers share; a piece in compressed streams. */
  readonly block: string | StreamBytes | GzipPiece;
}

/** Parts of `/events`. */
export const eventsFormat: WireFormat<readonly EventsPart[]> = {
  slot: 4,
  encode: (channel, item) =>
    eventsParts(channel, item, (block) => (isLarge(block) ? streamBytes(block) : block)),
};

/** @param shared Is given the block of each message. */
export function eventsParts(
  channel: ChannelRef,
  item: Item,
  shared: (block: string) => EventsPart["block"],
): readonly EventsPart[] {
  if (item.is !== "messages") return [eventsNotice(channel, item)];
  const parts: EventsPart[] = [];
  const { epoch } = item;
  forEachEntry(
    item,
    (entry: Entry) =>
      parts.push({ epoch, offset: entry.offset, block: shared(eventsMessageData(channel.name, entry)) }),
    (from, to) => {
      const offset = Number(to.slice(to.indexOf(":") + 1));
      parts.push({ epoch, offset, block: namedBlock("skip", { channel: channel.name, from, to }) });
    },
  );
  return parts;
}

/** Messages of a page of history in JSON, with commas between them. */
export const historyFormat: WireFormat<Piece> = {
  slot: 11,
  encode: (_channel, item) =>
    shareable(item.is === "messages" ? item.entries.map((entry) => `{${entryFields(entry)}}`).join(",") : ""),
};

/** Lines of a poll's answer, each with its line end. */
export const linesFormat: WireFormat<Piece> = {
  slot: 5,
  encode: (channel, item) => shareable(`${itemLines(channel, item)}\n`),
};

function namedBlock(event: string, data: unknown): string {
  return formatSse({ event, data: JSON.stringify(data) });
}

function eventsNotice(channel: ChannelRef, item: Exclude<Item, { is: "messages" }>): EventsPart {
  const { event, fields, position } = notice(item);
  return {
    epoch: position?.epoch,
    offset: position?.offset ?? 0,
    block: namedBlock(event, { channel: channel.name, ...fields }),
  };
}

function itemEvent(item: Exclude<Item, { is: "messages" }>): SseEvent {
  const { event, fields, position } = notice(item);
  return {
    event,
    ...(position ? { id: formatPosition(position) } : {}),
    data: JSON.stringify(fields),
  };
}

/** What is no message, as event streams tell it; `position` is where the reader is then. */
function notice(item: Exclude<Item, { is: "messages" }>): {
  event: string;
  fields: object;
  position?: { readonly epoch: string; readonly offset: number };
} {
  switch (item.is) {
    case "gap":
      return { event: "gap", fields: gapFields(item.gap), position: item.gap.to };
    case "skip": {
      const fields = { from: formatPosition(item.from), to: formatPosition(item.to) };
      return { event: "skip", fields, position: item.to };
    }
    case "mark": {
      const fields = { position: formatPosition(item.position), time: item.time };
      return { event: "mark", fields, position: item.position };
    }
    case "stale":
      return { event: "stale", fields: { since: item.since } };
    case "detached": {
      const code = item.code === "detached" ? "unknown-channel" : item.code;
      const { status, title, remedy } = ERRORS[code];
      return { event: "error", fields: { status, code, title, detail: title, remedy } };
    }
  }
}
