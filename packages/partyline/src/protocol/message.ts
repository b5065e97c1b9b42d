import { PartylineError } from "./errors.ts";

/** How a message's bytes are meant. */
export type Kind = "json" | "text" | "binary";

/** A {@link Kind}, or `deleted`: the key's value in a `latest` channel is gone. */
export type EntryKind = Kind | "deleted";

/** What a channel keeps of its messages; PROTOCOL.md, "What a channel keeps". */
export type Keep = "history" | "latest" | "nothing";

/** One message in a channel's log. The bytes are those that the publisher sent. */
export interface Entry {
  /** Place in the log, from 1, one more than that of the message before. */
  readonly offset: number;
  /** Milliseconds since 1970 by the broker's clock; never going back within an epoch. */
  readonly time: number;
  readonly kind: EntryKind;
  /** The publish id, where the publisher gave one. */
  readonly id: string | undefined;
  readonly key: string | undefined;
  /** Empty where `kind` is `deleted`. */
  readonly data: Uint8Array;
}

/** What a message costs beside its own bytes, as retention counts it. */
const ENTRY_OVERHEAD = 100;

/** The bytes of a message as retention counts them: data, id, key and 100. */
export function entryBytes({ data, id, key }: Pick<Entry, "data" | "id" | "key">): number {
  return data.byteLength + (id?.length ?? 0) + (key?.length ?? 0) + ENTRY_OVERHEAD;
}

/** What the publisher said about the bytes: `auto` leaves it to {@link decideKind}. */
export type DeclaredKind = "json" | "binary" | "auto";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/**
 * The same text in memory of its own. A part of a longer text, as of a URL, keeps all of it in memory.
 *
 * @param text Well-formed.
 */
export function ownText(text: string): string {
  return decoder.decode(encoder.encode(text));
}

/** The UTF-8 text of these bytes, or `undefined` where they are not UTF-8. A BOM is kept: it belongs to the text. */
export function decodeText(data: Uint8Array): string | undefined {
  try {
    return decoder.decode(data);
  } catch {
    return undefined;
  }
}

/** The UTF-8 bytes of this text. */
export function encodeText(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Small messages share a buffer of this size: to encode into it takes a third of the time. */
const SHARED_BYTES = 8 * 1024;
/** A text of so many characters surely fits, with three bytes each. */
const SMALL_TEXT = 1024;

let shared = new Uint8Array(0);

/** The UTF-8 bytes of a message on its way to the broker, which copies what it keeps: they may share a buffer. */
export function encodeMessage(text: string): Uint8Array {
  if (text.length > SMALL_TEXT) return encoder.encode(text);
  if (shared.length < text.length * 3) shared = new Uint8Array(SHARED_BYTES);
  const { written } = encoder.encodeInto(text, shared);
  const bytes = shared.subarray(0, written);
  shared = shared.subarray(written);
  return bytes;
}

/**
 * What a `content-type` header says of the body.
 *
 * @throws PartylineError `wrong-type` for types that don't name a message, forms among them (`curl -d` without a
 * header), because taking a form for text would store the mistake.
 */
export function declaredKind(contentType: string | null | undefined): DeclaredKind {
  const type = mediaType(contentType ?? "");
  if (type === "" || type === "text/plain") return "auto";
  if (type === "application/octet-stream") return "binary";
  if (type === "application/json") return "json";
  throw new PartylineError("wrong-type", `A message can't be "${type.slice(0, 80)}".`, {
    remedy:
      type === "application/x-www-form-urlencoded"
        ? "Add the header `content-type: application/json` (curl: -H 'content-type: application/json'), or text/plain."
        : "Send `application/json`, `text/plain` or `application/octet-stream`.",
  });
}

/** A `content-type` without its parameters; mostly it has none, and is written as it is registered. */
function mediaType(text: string): string {
  if (text === "text/plain" || text === "application/json") return text;
  return text.split(";", 1)[0]?.trim().toLowerCase() ?? "";
}

/**
 * Decides, once, what kind of message these bytes are. With `schema` the channel takes JSON only.
 *
 * @throws PartylineError `bad-json` where JSON was declared, or demanded by the schema, and is malformed.
 */
export function decideKind(data: Uint8Array, declared: DeclaredKind, schema: boolean): Kind {
  if (declared === "binary") return "binary";
  if (declared === "json" || schema) {
    parseJson(data);
    return "json";
  }
  if (looksLikeJson(data)) {
    try {
      parseJson(data);
      return "json";
    } catch {
      // Text that only begins like JSON is text.
    }
  }
  return isAscii(data) || decodeText(data) !== undefined ? "text" : "binary";
}

/**
 * The JSON value in these bytes.
 *
 * @throws PartylineError `bad-json` where they are not UTF-8 or not JSON.
 */
export function parseJson(data: Uint8Array): unknown {
  const text = decodeText(data);
  if (text === undefined) throw new PartylineError("bad-json", "The JSON is not valid UTF-8.");
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new PartylineError("bad-json", cause instanceof Error ? cause.message : "Malformed JSON.");
  }
}

/** Bytes that are looked at one by one: of more, a decoder is done sooner. */
const FEW_BYTES = 256;

/** Is it short, and of ASCII alone? To look costs a third of what a decoder does. */
function isAscii(data: Uint8Array): boolean {
  if (data.length > FEW_BYTES) return false;
  for (const byte of data) if (byte >= 0x80) return false;
  return true;
}

/** Only objects and arrays are taken for JSON unasked: "42" and "true" are more often words of a chat. */
function looksLikeJson(data: Uint8Array): boolean {
  for (const byte of data) {
    if (byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d) continue;
    return byte === 0x7b || byte === 0x5b;
  }
  return false;
}
