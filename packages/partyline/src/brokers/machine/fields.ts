/** The values of the `Broker` port as fields, in one order for those who write and those who read. */
import type {
  Appended,
  AppendOutcome,
  BrokerCapabilities,
  ChannelSpec,
  Head,
  NewMessage,
  Page,
  PageLimit,
} from "../../core/ports.ts";
import { isErrorCode, PartylineError } from "../../protocol/errors.ts";
import type { Entry, EntryKind, Keep } from "../../protocol/message.ts";
import type { Position, Since } from "../../protocol/position.ts";
import type { Gap, GapReason } from "../../protocol/since.ts";
import type { Reader, Writer } from "./bytes.ts";

const KINDS: readonly EntryKind[] = ["json", "text", "binary", "deleted"];
const KEEPS: readonly Keep[] = ["history", "latest", "nothing"];
const REASONS: readonly GapReason[] = ["epoch", "retention", "not-kept", "unknown-position", "unauthorized"];
const STORED: readonly BrokerCapabilities["stored"][] = ["memory", "disk", "replicated"];

function choice<T>(choices: readonly T[], index: number): T {
  const chosen = choices[index];
  if (chosen === undefined) throw new RangeError(`There is no choice ${index}.`);
  return chosen;
}

export function writeStored(to: Writer, stored: BrokerCapabilities["stored"]): void {
  to.byte(STORED.indexOf(stored));
}

export function readStored(from: Reader): BrokerCapabilities["stored"] {
  return choice(STORED, from.byte());
}

export function writeSpec(to: Writer, { name, keep, retention, maxKeys, idleAge }: ChannelSpec): void {
  to.text(name).byte(KEEPS.indexOf(keep));
  to.number(retention.count).number(retention.bytes).number(retention.age);
  to.number(maxKeys).number(idleAge);
}

export function readSpec(from: Reader): ChannelSpec {
  return {
    name: from.text(),
    keep: choice(KEEPS, from.byte()),
    retention: { count: from.number(), bytes: from.number(), age: from.number() },
    maxKeys: from.number(),
    idleAge: from.number(),
  };
}

export function writeMessages(to: Writer, messages: readonly NewMessage[]): void {
  to.list(messages, ({ kind, id, at, key, data }) => {
    to.byte(KINDS.indexOf(kind));
    to.optional(id, (value) => to.text(value));
    to.optional(at, (value) => to.number(value));
    to.optional(key, (value) => to.text(value));
    to.bytes(data);
  });
}

export function readMessages(from: Reader): NewMessage[] {
  return from.list(() => ({
    kind: choice(KINDS, from.byte()),
    id: from.optional(() => from.text()),
    at: from.optional(() => from.number()),
    key: from.optional(() => from.text()),
    data: from.bytes(),
  }));
}

export function writePosition(to: Writer, { epoch, offset }: Position): void {
  to.text(epoch).number(offset);
}

export function readPosition(from: Reader): Position {
  return { epoch: from.text(), offset: from.number() };
}

export function writeEntries(to: Writer, entries: readonly Entry[]): void {
  to.list(entries, ({ offset, time, kind, id, key, data }) => {
    to.number(offset).number(time).byte(KINDS.indexOf(kind));
    to.optional(id, (value) => to.text(value));
    to.optional(key, (value) => to.text(value));
    to.bytes(data);
  });
}

/** @param own What is made of the bytes, which are a view. */
export function readEntries(from: Reader, own: (data: Uint8Array) => Uint8Array): Entry[] {
  return from.list(() => ({
    offset: from.number(),
    time: from.number(),
    kind: choice(KINDS, from.byte()),
    id: from.optional(() => from.text()),
    key: from.optional(() => from.text()),
    data: own(from.bytes()),
  }));
}

export function writeOutcome(to: Writer, outcome: AppendOutcome): void {
  if (outcome.is === "refused") {
    to.byte(0).number(outcome.index);
    return writeError(to, outcome.error);
  }
  to.byte(1).list(outcome.results, ({ position, time, duplicate }) => {
    writePosition(to, position);
    to.number(time).byte(duplicate ? 1 : 0);
  });
}

export function readOutcome(from: Reader): AppendOutcome {
  if (from.byte() === 0) return { is: "refused", index: from.number(), error: readError(from) };
  const result = (): Appended => ({
    position: readPosition(from),
    time: from.number(),
    duplicate: from.byte() === 1,
  });
  return { is: "stored", results: from.list(result) };
}

export function writeSince(to: Writer, since: Since): void {
  switch (since.at) {
    case "earliest":
      return void to.byte(0);
    case "now":
      return void to.byte(1);
    case "last":
      return void to.byte(2).number(since.count);
    case "position":
      to.byte(3);
      writePosition(to, since.position);
      to.optional(since.began, (value) => to.number(value));
  }
}

export function readSince(from: Reader): Since {
  switch (from.byte()) {
    case 0:
      return { at: "earliest" };
    case 1:
      return { at: "now" };
    case 2:
      return { at: "last", count: from.number() };
    default: {
      const position = readPosition(from);
      const began = from.optional(() => from.number());
      return { at: "position", position, ...(began === undefined ? {} : { began }) };
    }
  }
}

export function writeLimit(to: Writer, { messages, bytes }: PageLimit): void {
  to.number(messages).number(bytes);
}

export function readLimit(from: Reader): PageLimit {
  return { messages: from.number(), bytes: from.number() };
}

function writeGap(to: Writer, gap: Gap): void {
  writePosition(to, gap.from);
  writePosition(to, gap.to);
  to.byte(REASONS.indexOf(gap.reason)).optional(gap.lost, (value) => to.number(value));
}

function readGap(from: Reader): Gap {
  const start = readPosition(from);
  const to = readPosition(from);
  const reason = choice(REASONS, from.byte());
  const lost = from.optional(() => from.number());
  return { from: start, to, reason, ...(lost === undefined ? {} : { lost }) };
}

export function writePage(to: Writer, page: Page | undefined): void {
  to.optional(page, ({ position, gap, entries, epoch, head, remaining }) => {
    writePosition(to, position);
    to.optional(gap, (value) => writeGap(to, value));
    writeEntries(to, entries);
    to.text(epoch).number(head).number(remaining);
  });
}

/** Its entries are views: a page lives shortly, and is most of the bytes that it came in. */
export function readPage(from: Reader): Page | undefined {
  return from.optional(() => ({
    position: readPosition(from),
    gap: from.optional(() => readGap(from)),
    entries: readEntries(from, (data) => data),
    epoch: from.text(),
    head: from.number(),
    remaining: from.number(),
  }));
}

export function writeHeads(to: Writer, heads: readonly (Head | undefined)[]): void {
  to.list(heads, (head) =>
    to.optional(head, ({ position, oldest }) => {
      writePosition(to, position);
      to.number(oldest);
    }),
  );
}

export function readHeads(from: Reader): (Head | undefined)[] {
  return from.list(() => from.optional(() => ({ position: readPosition(from), oldest: from.number() })));
}

export function writeError(to: Writer, { code, message, remedy, retryAfter }: PartylineError): void {
  to.text(code).text(message).text(remedy);
  to.optional(retryAfter, (value) => to.number(value));
}

export function readError(from: Reader): PartylineError {
  const [code, message, remedy] = [from.text(), from.text(), from.text()];
  const retryAfter = from.optional(() => from.number());
  return new PartylineError(isErrorCode(code) ? code : "internal", message, {
    remedy,
    ...(retryAfter === undefined ? {} : { retryAfter }),
  });
}
