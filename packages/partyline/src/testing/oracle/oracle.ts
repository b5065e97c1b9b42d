import type { Channel, PublishOptions, PublishResult } from "../../client/channel-types.ts";
import type { Message } from "../../client/message.ts";
import type { Keep } from "../../protocol/message.ts";
import { PartylineError } from "../../protocol/partyline-error.ts";
import { bytesOf } from "../../protocol/payload.ts";
import type { ChannelRecord, Evidence, PublishFate, PublishRecord, Violation } from "./evidence.ts";
import { judge } from "./judge.ts";
import {
  createReaderLog,
  iterateChannel,
  type OracleMessage,
  type OracleReader,
  type Readable,
  type ReaderInfo,
  type ReaderLog,
  seen,
  textOf,
  watchChannel,
} from "./reader-log.ts";

/** What the oracle should know of a channel; all of it has a default. */
export interface OracleChannel {
  /** Default `"history"`. */
  readonly keep?: Keep;
  /**
   * How many messages it keeps, where nothing else (bytes, age) drops any: then a gap that covers what was kept is
   * found out. Default: any gap may be right.
   */
  readonly count?: number | undefined;
}

/** What a message can be published to: a channel of a client, or of the server. */
export interface OracleTarget {
  readonly name: string;
  publish(data: unknown, options: PublishOptions): Promise<PublishResult>;
}

/** How a message is published through the oracle. */
export interface OraclePublish extends PublishOptions {
  /** Whose order is kept: one for each client. Default `"publisher"`. */
  readonly publisher?: string;
}

/** Remembers what was published and what was told to whom, and finds out what does not fit. */
export interface Oracle {
  /** Tells what a channel keeps, before anything happens on it; without this it keeps its history. */
  define(channel: string, options: OracleChannel): void;
  /**
   * Listens to a client's channel, which attaches it; the returned function ends that.
   *
   * @param reader A name for the report.
   * @param maxRate What the channel was asked for, where that was less than everything: skips are right then.
   */
  watch(channel: Readable, reader?: string, maxRate?: number): () => void;
  /** Iterates over a client's channel, at the pace of whoever takes the messages. */
  messages(channel: Readable, reader?: string, maxRate?: number): AsyncIterableIterator<Message, void>;
  /** As `watch`, for whatever else reads. */
  reader(channel: string, reader?: string, maxRate?: number): OracleReader;
  /**
   * Publishes under an id that the oracle knows.
   *
   * @throws what the channel throws.
   */
  publish(channel: OracleTarget, data: unknown, options?: OraclePublish): Promise<PublishResult>;
  /** Deletes a key, as {@link Oracle.publish}. */
  delete(channel: Pick<Channel, "name" | "delete">, key: string, publisher?: string): Promise<PublishResult>;
  /**
   * The past of this channel was lost on purpose while its server went on, as in a flush; without a name: of all, in a
   * restart.
   */
  lostPast(channel?: string): void;
  /** Where the channel ends when all has come to rest, and what it keeps: asked of the server itself. */
  ended(channel: string, head: string | undefined, kept?: readonly OracleMessage[]): void;
  /** All that was written down, as plain data. */
  readonly evidence: Evidence;
  /** The promises that were broken by now. Complete when all has come to rest and `ended` was told. */
  violations(): Violation[];
}

/**
 * Makes an oracle: a witness to all publishers and readers, who knows whether each message arrived once and in order,
 * or its absence was told.
 *
 * @example
 * ```ts
 * const oracle = createOracle();
 * oracle.watch(anna.channel("a", { onGap: "continue" }), "anna");
 * await oracle.publish(bob.channel("a"), { text: "hello" }, { publisher: "bob" });
 * // … cut lines, restart servers, wait until all has come to rest …
 * expect(oracle.violations()).toEqual([]);
 * ```
 */
export function createOracle(): Oracle {
  const channels = new Map<string, ChannelRecord>();
  const publishes: { publish: Omit<PublishRecord, "fate">; fate: PublishFate; spansLives?: true }[] = [];
  const logs: ReaderLog[] = [];

  // Two spellings of a name are one channel.
  const change = (spelled: string, changed: Partial<ChannelRecord> = {}): void => {
    const name = spelled.normalize();
    const known = channels.get(name) ?? { channel: name, keep: "history", lives: 1 };
    channels.set(name, { ...known, ...changed });
  };
  const addReader = (
    channel: string,
    reader = `reader ${logs.length + 1}`,
    how: Pick<ReaderInfo, "maxRate" | "iterated"> = {},
  ): ReaderLog => {
    change(channel);
    const log = createReaderLog({ reader, channel: channel.normalize(), ...how });
    logs.push(log);
    return log;
  };
  const newId = (publisher: string): string =>
    `${publisher.replaceAll(/[^\w-]/g, "-")}-${publishes.length + 1}`;
  const record = async (
    { channel, ...rest }: Omit<PublishRecord, "fate">,
    act: () => Promise<PublishResult>,
  ): Promise<PublishResult> => {
    change(channel);
    const publish = { channel: channel.normalize(), ...rest };
    const entry: (typeof publishes)[number] = { publish, fate: { is: "pending" } };
    publishes.push(entry);
    try {
      const result = await act();
      const { position, duplicate } = result;
      entry.fate = result.superseded ? { is: "superseded" } : { is: "stored", position, duplicate };
      return result;
    } catch (error) {
      // What is thrown otherwise is somebody else's trouble, and leaves open what became of the publish.
      entry.fate = { is: "refused", code: error instanceof PartylineError ? error.code : "uncertain" };
      throw error;
    }
  };

  const oracle: Oracle = {
    define: (name, options) => change(name, options),
    reader: (channel, reader, maxRate) => addReader(channel, reader, { maxRate }),
    watch: (channel, reader, maxRate) => watchChannel(addReader(channel.name, reader, { maxRate }), channel),
    messages: (channel, reader, maxRate) =>
      iterateChannel(addReader(channel.name, reader, { maxRate, iterated: true }), channel),
    publish(channel, data, { publisher = "publisher", id = newId(publisher), ...options } = {}) {
      const { kind = bytesOf(data) ? "binary" : "json", key } = options;
      return record({ publisher, channel: channel.name, id, key, kind, data: textOf(kind, data) }, () =>
        channel.publish(data, { ...options, id }),
      );
    },
    delete(channel, key, publisher = "publisher") {
      const id = newId(publisher);
      return record({ publisher, channel: channel.name, id, key, kind: "deleted", data: "" }, () =>
        channel.delete(key, { id }),
      );
    },
    lostPast(spelled) {
      const name = spelled?.normalize();
      for (const { channel, lives } of channels.values())
        if (name === undefined || channel === name) change(channel, { lives: lives + 1 });
      for (const entry of publishes)
        if (entry.publish.channel === name && entry.fate.is === "pending") entry.spansLives = true;
    },
    ended: (name, head, kept) => change(name, { head, kept: kept?.map(seen) }),
    get evidence() {
      return {
        channels: [...channels.values()],
        publishes: publishes.map(({ publish, ...rest }) => ({ ...publish, ...rest })),
        readers: logs.map((log) => log.record),
      };
    },
    violations: () => judge(oracle.evidence),
  };
  return oracle;
}
