import type { PublishOptions } from "../../src/client/index.ts";
import { encodeText } from "../../src/protocol/message.ts";
import type { ChannelName } from "./history.ts";
import { MARK } from "./kinds/proxy.ts";

/** A message, and how it is published. */
export interface Payload {
  readonly data: unknown;
  readonly options: PublishOptions;
}

/** The data of the `n`th message: no two are the same, and each kind has its turn. */
export function payload(n: number, bytes: number, channel: ChannelName, marked = false): Payload {
  const text = `${n} ${marked ? MARK : ""}${"x".repeat(bytes)}`;
  const key = channel === "latest" ? { key: `key-${n % 5}` } : {};
  if (n % 7 === 1) return { data: text, options: { kind: "text", ...key } };
  // In binary the mark could not be seen.
  if (n % 7 === 2 && !marked) return { data: encodeText(text), options: { kind: "binary", ...key } };
  return { data: { n, text }, options: { kind: "json", ...key } };
}
