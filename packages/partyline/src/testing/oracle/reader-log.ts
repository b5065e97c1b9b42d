import type { Channel } from "../../client/channel-types.ts";
import type { ChannelGap, ChannelSkip, Message } from "../../client/message.ts";
import { toBase64 } from "../../protocol/base64.ts";
import type { EntryKind } from "../../protocol/message.ts";
import type { ReaderRecord, SeenMessage, Told } from "./evidence.ts";
import { placeOf } from "./place.ts";

/** A message as any reader may have it. */
export type OracleMessage = Pick<Message, "position" | "kind" | "data"> &
  Partial<Pick<Message, "id" | "key">>;

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

export function createReaderLog(reader: string, channel: string): ReaderLog {
  const told: Told[] = [];
  let present = true;
  return {
    began(position) {
      if (told.length === 0) told.push({ is: "began", position });
    },
    message: (message) => void told.push({ is: "message", ...seen(message) }),
    gap: ({ from, to, reason, lost }) => void told.push({ is: "gap", from, to, reason, lost }),
    skip: ({ from, to }) => void told.push({ is: "skip", from, to }),
    left: () => void (present = false),
    get record() {
      return { reader, channel, told: [...told], present };
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

/**
 * Iterates over a channel. Gaps and skips are told when they come, messages when they are taken, which is later: here
 * they are put in order again.
 */
export function iterateChannel(log: OracleReader, channel: Readable): AsyncIterableIterator<Message, void> {
  const ahead: { readonly from: string; readonly to: string; readonly write: () => void }[] = [];
  let at = channel.position;
  const offs = [
    noteBeginning(log, channel),
    channel.on("gap", (gap) => ahead.push({ ...gap, write: () => log.gap(gap) })),
    channel.on("skip", (skip) => ahead.push({ ...skip, write: () => log.skip(skip) })),
  ];
  const messages = channel.messages();
  const end = (): void => {
    for (const off of offs) off();
    for (const { write } of ahead.splice(0)) write();
    log.left();
  };
  const take = (message: Message): void => {
    while (ahead.length > 0 && at !== undefined && !follows(at, message.position)) {
      const jump = ahead.shift();
      at = jump?.to;
      jump?.write();
    }
    at = message.position;
    log.message(message);
  };
  return {
    async next() {
      try {
        const result = await messages.next();
        if (result.done) end();
        else take(result.value);
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
export function textOf(kind: EntryKind, data: unknown): string {
  if (kind === "deleted") return "";
  if (data instanceof Uint8Array) return toBase64(data);
  return kind === "text" ? String(data) : JSON.stringify(data);
}
