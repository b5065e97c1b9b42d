import { fromBase64 } from "./base64.ts";
import { PartylineError } from "./errors.ts";
import type { ClientFrame, DeleteFrame, PublishFrame } from "./frames.ts";
import { memberText } from "./json-span.ts";
import { checkMaxRate } from "./max-rate.ts";
import { encodeMessage } from "./message.ts";

/** A line that is no frame. */
export interface RefusedLine {
  readonly t: "refused";
  /** The command that it was meant as, where that can be read. */
  readonly n: number | undefined;
  /** The channel that it was meant to change: what follows it there is held, as behind any refused publish. */
  readonly channel: string | undefined;
  readonly error: PartylineError;
}

type Fields = Readonly<Record<string, unknown>>;

const ID = /^[A-Za-z0-9_-]{1,64}$/;

/** Is this a publish id that a server takes? */
export function isPublishId(id: string): boolean {
  return ID.test(id);
}

/**
 * Reads one line from a client. Unknown fields are ignored, so that later minor versions can add some; an
 * unknown type is refused by name, and never throws.
 */
export function readClientFrame(line: string): ClientFrame | RefusedLine {
  let fields: Fields = {};
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw badFrame("A frame is a JSON object");
    fields = value as Fields;
    return readFields(fields, line);
  } catch (error) {
    const refused = error instanceof PartylineError ? error : badFrame("A frame is one line of valid JSON");
    return { t: "refused", n: wholeNumber(fields["n"]), channel: changedChannel(fields), error: refused };
  }
}

function changedChannel({ t, channel }: Fields): string | undefined {
  return (t === "publish" || t === "delete") && typeof channel === "string" ? channel : undefined;
}

function readFields(fields: Fields, line: string): ClientFrame {
  switch (fields["t"]) {
    case "hello": {
      const token = optionalString(fields, "token");
      return {
        t: "hello",
        v: number(fields, "v"),
        ...(token === undefined ? {} : { token }),
        ...(fields["wait"] === undefined ? {} : { wait: number(fields, "wait") }),
        ...(fields["quiet"] === undefined ? {} : { quiet: number(fields, "quiet") }),
      };
    }
    case "attach": {
      const since = optionalString(fields, "since");
      const began = optionalString(fields, "began");
      const { maxRate } = fields;
      return {
        t: "attach",
        n: command(fields),
        channel: string(fields, "channel"),
        ...(since === undefined ? {} : { since }),
        ...(began === undefined ? {} : { began }),
        ...(maxRate === undefined ? {} : { maxRate: checkMaxRate(maxRate) }),
      };
    }
    case "detach":
      return { t: "detach", n: command(fields), channel: string(fields, "channel") };
    case "publish":
      return readPublish(fields, line);
    case "delete":
      return readDelete(fields);
    case "token":
      return { t: "token", n: command(fields), token: string(fields, "token") };
    case "ping":
      return { t: "ping", n: command(fields) };
    default:
      throw badFrame(`Unknown frame type ${JSON.stringify(fields["t"])?.slice(0, 40)}`);
  }
}

// Written out, here and in `readDelete`: the fields that they share, spread into them, cost more than all checks.
function readPublish(fields: Fields, line: string): PublishFrame {
  const kind = fields["kind"] ?? "json";
  if (kind !== "json" && kind !== "text" && kind !== "binary")
    throw badFrame("`kind` is json, text or binary");
  return {
    t: "publish",
    n: command(fields),
    channel: string(fields, "channel"),
    id: publishId(fields),
    at: number(fields, "at"),
    first: first(fields),
    kind,
    key: optionalString(fields, "key"),
    data: payload(fields, kind, line),
  };
}

function readDelete(fields: Fields): DeleteFrame {
  return {
    t: "delete",
    n: command(fields),
    channel: string(fields, "channel"),
    id: publishId(fields),
    at: number(fields, "at"),
    first: first(fields),
    key: string(fields, "key"),
  };
}

function payload(fields: Fields, kind: PublishFrame["kind"], line: string): Uint8Array {
  if (kind === "json") {
    const text = memberText(line, "data");
    if (text === undefined) throw badFrame("`data` is missing");
    return encodeMessage(text);
  }
  const text = string(fields, "data");
  const data = kind === "text" ? encodeMessage(text) : fromBase64(text);
  if (!data) throw badFrame("`data` of a binary message is base64 (RFC 4648, section 4)");
  return data;
}

function publishId(fields: Fields): string {
  const id = string(fields, "id");
  if (!isPublishId(id))
    throw new PartylineError("bad-id", `Not a publish id: ${JSON.stringify(id.slice(0, 80))}.`);
  return id;
}

function first(fields: Fields): boolean {
  const { first = false } = fields;
  if (typeof first !== "boolean") throw badFrame("`first` is true or false");
  return first;
}

function command(fields: Fields): number {
  const n = wholeNumber(fields["n"]);
  if (n === undefined) throw badFrame("`n` is a whole number from 0");
  return n;
}

function wholeNumber(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

function number(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value !== "number" || !Number.isFinite(value) || value < 0)
    throw badFrame(`\`${name}\` is a number from 0`);
  return value;
}

function string(fields: Fields, name: string): string {
  const value = optionalString(fields, name);
  if (value === undefined) throw badFrame(`\`${name}\` is missing`);
  return value;
}

function optionalString(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined) return undefined;
  if (typeof value !== "string") throw badFrame(`\`${name}\` is a string`);
  // Half a character has no UTF-8 form: it would be stored as another text than was sent.
  if (/\p{Surrogate}/u.test(value)) throw badFrame(`\`${name}\` holds half a character (a lone surrogate)`);
  return value;
}

function badFrame(problem: string): PartylineError {
  return new PartylineError("bad-frame", `${problem}.`);
}
