import type { ChannelRef, Item } from "../core/ports.ts";
import { gapFields } from "../protocol/answer-frames.ts";
import { messageLine } from "../protocol/entry-json.ts";
import type { ServerFrame } from "../protocol/frames.ts";
import type { Entry } from "../protocol/message.ts";
import { formatPosition } from "../protocol/position.ts";

/**
 * Calls `each` with every message and, where offsets were left out before it, `skip` first: every wire that can tell
 * a skip tells it right there.
 */
export function forEachEntry(
  item: Extract<Item, { is: "messages" }>,
  each: (entry: Entry) => void,
  skip: (from: string, to: string) => void,
): void {
  let last = item.after;
  for (const entry of item.entries) {
    if (entry.offset !== last + 1) {
      const { epoch } = item;
      skip(formatPosition({ epoch, offset: last }), formatPosition({ epoch, offset: entry.offset - 1 }));
    }
    last = entry.offset;
    each(entry);
  }
}

/** What goes out on a channel of `/connect`: one or more lines without their last line end. */
export function itemLines({ number: c }: ChannelRef, item: Item): string {
  if (item.is !== "messages") return JSON.stringify(itemFrame(c, item));
  const lines: string[] = [];
  forEachEntry(
    item,
    (entry) => lines.push(messageLine(c, entry)),
    (from, to) => lines.push(JSON.stringify({ t: "skip", c, from, to } satisfies ServerFrame)),
  );
  return lines.join("\n");
}

function itemFrame(c: number, item: Exclude<Item, { is: "messages" }>): ServerFrame {
  switch (item.is) {
    case "gap":
      return { t: "gap", c, ...gapFields(item.gap) };
    case "skip":
      return { t: "skip", c, from: formatPosition(item.from), to: formatPosition(item.to) };
    case "mark":
      return { t: "mark", c, position: formatPosition(item.position), time: item.time };
    case "stale":
      return { t: "stale", c, since: item.since };
    case "detached":
      return { t: "detached", c, code: item.code };
  }
}
