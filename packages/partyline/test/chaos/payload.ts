import type { PublishOptions } from "../../src/client/index.ts";
import { encodeText } from "../../src/protocol/message.ts";
import type { ChannelName } from "./history.ts";

/** A message, and how it is published. */
export interface Payload {
  readonly data: unknown;
  readonly options: PublishOptions;
}

/** The data of the `n`th message: no two are the same, and each kind has its turn. */
export function payload(n: number, bytes: number, channel: ChannelName): Payload {
  const text = `${n} ${"x".repeat(bytes)}`;
  const key = channel === "latest" ? { key: `key-${n % 5}` } : {};
  if (n % 7 === 1) return { data: text, options: { kind: "text", ...key } };
  if (n % 7 === 2) return { data: encodeText(text), options: { kind: "binary", ...key } };
  return { data: { n, text }, options: { kind: "json", ...key } };
}
