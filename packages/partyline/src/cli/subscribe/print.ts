import type { ChannelGap, Message } from "../../client/index.ts";
import { toBase64 } from "../../protocol/base64.ts";
import { messages, oneLine } from "../text.ts";

/** One message as a line for people. */
export function messageText({ kind, key, data }: Message): string {
  switch (kind) {
    case "json":
      return JSON.stringify(data);
    case "text":
      return oneLine(String(data));
    case "binary":
      return base64(data);
    case "deleted":
      return `(deleted ${oneLine(key ?? "")})`;
  }
}

/** One message as a JSON object for programs. */
export function messageJson(message: Message): string {
  const { channel, position, time, kind, id, key, data } = message;
  const fields = { channel, position, time, kind, id, key };
  if (kind === "deleted") return JSON.stringify(fields);
  return JSON.stringify({ ...fields, data: kind === "binary" ? base64(data) : data });
}

/** What was missed, for people. */
export function gapText({ channel, reason, lost, to }: ChannelGap): string {
  const what = lost === undefined ? "messages" : messages(lost);
  return `gap: ${what} of ${channel} missed (${reason}); going on behind ${to}`;
}

function base64(data: unknown): string {
  return data instanceof Uint8Array ? toBase64(data) : "";
}
