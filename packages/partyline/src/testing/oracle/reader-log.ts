import type { Channel } from "../../client/channel-types.ts";
import type { ChannelGap, ChannelSkip, Message } from "../../client/message.ts";
import { toBase64 } from "../../protocol/base64.ts";
import type { EntryKind } from "../../protocol/message.ts";
import { bytesOf } from "../../protocol/payload.ts";
import type { ReaderRecord, SeenMessage, Told } from "./evidence.ts";
import { placeOf } from "./place.ts";

/** A message as any reader may have it. Without a `kind`, `data` is the text that was told. */
export type OracleMessage = Pick<Message, "position" | "data"> &
  Partial<Pick<Message, "id" | "key" | "kind">>;

/** Writes down what one reader is told; for readers that are not a channel of partyline's client. */
export interface OracleReader {
  /** Where its first attach began; ignored where it was told something before. */
  readonly began: (position: string) => void;
  readonly message: (message: OracleMessage) => void;
  readonly gap: (gap: Omit<ChannelGap, "channel">) => void;
  readonly skip: (skip: Omit<ChannelSkip, "channel">) => void;
  /** It reads no more: it need not stand at the head in the end. */
  readonly left: () => void;
}

/** An {@link OracleReader}, and what it has written down. */
export interface ReaderLog extends OracleReader {
  readonly record: ReaderRecord;
}

/** A client's channel, as far as it is read. */
export type Readable = Pick<Channel, "name" | "position" | "on" | "messages">;

type JumpTold = Extract<Told, { is: "gap" | "skip" }>;

/** Who reads, and how. */
export interface ReaderInfo extends Pick<ReaderRecord, "reader" | "channel" | "maxRate"> {
  /** Gaps and skips are told when they come, messages when they are taken, which is later: they are put in order again. */
  readonly iterated?: boolean;
}

export function createReaderLog({ iterated, ...info }: ReaderInfo): ReaderLog {
  const told: Told[] = [];
  /** Gaps and skips for which the messages before them have not been taken. */
  const ahead: JumpTold[] = [];
  let at: string | undefined;
  let present = true;

  const write = (item: Told): void => {
    told.push(item);
    at = "to" in item ? item.to : item.position;
  };
  const jump = (item: JumpTold): void => {
    if (iterated) ahead.push(item);
    else write(item);
  };
  /** Those that begin where the reader stands: it has nothing more to take before them. */
  const writeReached = (): void => {
    while (ahead[0] && ahead[0].from === at) write(ahead.shift() as JumpTold);
  };
  return {
    began(position) {
      if (told.length === 0) write({ is: "began", position });
    },
    message(message) {
      while (ahead.length > 0 && at !== undefined && !follows(at, message.position))
        write(ahead.shift() as JumpTold);
      write({ is: "message", ...seen(message) });
    },
    gap: ({ from, to, reason, lost }) => jump({ is: "gap", from, to, reason, lost }),
    skip: ({ from, to }) => jump({ is: "skip", from, to }),
    left: () => void (present = false),
    get record() {
      writeReached();
      return { ...info, told: [...told], present };
    },
  };
}

/** Listens to a channel, which attaches it. */
export function watchChannel(log: OracleReader, channel: Readable): () => void {
  const stop = noteBeginning(log, channel);
  const offs = [channel.on("gap", log.gap), channel.on("skip", log.skip), channel.on("message", log.message)];
  return () => {
    stop();
    for (const off of offs) off();
    log.left();
  };
}

/** The state is told before the first message of an attach, when the position is the one that this begins at. */
function noteBeginning(log: OracleReader, channel: Readable): () => void {
  const begin = (): void => {
    if (channel.position !== undefined) log.began(channel.position);
  };
  begin();
  return channel.on("state", begin);
}

/** Iterates over a channel, at the pace of whoever takes the messages; the log must be an iterated one. */
export function iterateChannel(log: OracleReader, channel: Readable): AsyncIterableIterator<Message, void> {
  const offs = [noteBeginning(log, channel), channel.on("gap", log.gap), channel.on("skip", log.skip)];
  const messages = channel.messages();
  const end = (): void => {
    for (const off of offs) off();
    log.left();
  };
  return {
    async next() {
      try {
        const result = await messages.next();
        if (result.done) end();
        else log.message(result.value);
        return result;
      } catch (error) {
        end();
        throw error;
      }
    },
    async return() {
      end();
      return (await messages.return?.()) ?? { done: true, value: undefined };
    },
    async throw(error) {
      end();
      if (!messages.throw) throw error;
      return messages.throw(error);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

function follows(at: string, position: string): boolean {
  const [before, place] = [placeOf(at), placeOf(position)];
  return before.epoch === place.epoch && before.offset + 1 === place.offset;
}

export function seen({ position, id, key, kind, data }: OracleMessage): SeenMessage {
  return { position, id, key, kind, data: textOf(kind, data) };
}

/** The same text for the same data. */
export function textOf(kind: EntryKind | undefined, data: unknown): string {
  if (kind === "deleted") return "";
  const bytes = bytesOf(data);
  if (bytes) return toBase64(bytes);
  return kind === "json" ? JSON.stringify(data) : String(data);
}
