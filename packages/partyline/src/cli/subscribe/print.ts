import type { ChannelGap, Message } from "../../client/index.ts";
import { toBase64 } from "../../protocol/base64.ts";
import { JsonText } from "../json-text.ts";
import { escapeControls, messages, oneLine } from "../text.ts";

/** One message as a line for people. */
export function messageText({ kind, key, data }: Message): string {
  switch (kind) {
    case "json":
      return escapeControls(json(data));
    case "text":
      return oneLine(String(data));
    case "binary":
      return base64(data);
    case "deleted":
      return `(deleted ${oneLine(key ?? "")})`;
  }
}

/** One message as a JSON object for programs; JSON data is the text that was published. */
export function messageJson(message: Message): string {
  const { channel, position, time, kind, id, key, data } = message;
  const fields = JSON.stringify({ channel, position, time, kind, id, key });
  if (kind === "deleted") return fields;
  const text = kind === "json" ? json(data) : JSON.stringify(kind === "binary" ? base64(data) : data);
  return `${fields.slice(0, -1)},"data":${text}}`;
}

/** A gap as a line for people. */
export function gapText({ channel, reason, lost, to }: ChannelGap): string {
  const what = lost === undefined ? "messages" : messages(lost);
  return `gap: ${what} of ${channel} missed (${reason}); going on behind ${to}`;
}

function json(data: unknown): string {
  return data instanceof JsonText ? data.text : JSON.stringify(data);
}

function base64(data: unknown): string {
  return data instanceof Uint8Array ? toBase64(data) : "";
}
