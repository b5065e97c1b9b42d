import type {
  Appended,
  AppendListener,
  AppendOutcome,
  Broker,
  BrokerCapabilities,
  ChannelSpec,
  Head,
  NewMessage,
  Page,
  PageLimit,
  Subscription,
} from "../../core/ports.ts";
import { PartylineError } from "../../protocol/errors.ts";
import { DEFAULT_LIMITS } from "../../protocol/limits.ts";
import type { Entry } from "../../protocol/message.ts";
import { fn, positive, readOptions, type Rules, whole } from "../../protocol/options.ts";
import type { Since } from "../../protocol/position.ts";
import { resolveSince } from "../../protocol/since.ts";
import type { Channel } from "./channel.ts";
import { Channels } from "./channels.ts";
import { BlankEpochs } from "./blank-epochs.ts";
import { createEpochs } from "./epoch.ts";
import { createDelivery } from "./delivery.ts";
import { NOTHING_KEPT } from "./log.ts";
import { takePlaces } from "./places.ts";
import { createByteKeeper } from "../own-bytes.ts";

/** What {@link createMemoryBroker} can be told. */
export interface MemoryBrokerOptions {
  /**
   * Milliseconds since 1970. May go back: the broker's own `time()` then stands still until it is caught up with.
   *
   * @default Date.now
   */
  readonly now?: () => number;
  /**
   * A number from 0 to below 1, for epochs; it need not be unguessable.
   *
   * @default Math.random
   */
  readonly random?: () => number;
  /**
   * Most channels at once. For one more, an idle channel is dropped: one that holds nothing before one that holds
   * messages, the longest idle first. If every channel is listened to, a new one is refused, `overloaded`.
   *
   * @default 1_000_000
   */
  readonly maxChannels?: number;
  /**
   * Most bytes that all channels together take, for messages as retention counts them and for publish ids. Above it the
   * histories of channels that nobody listens to are dropped, longest idle first, then the oldest messages of the
   * history that is published to: who still wanted them is told a gap. If that makes no room, publishes are refused,
   * `overloaded`; deletions of keys are not. One batch of publishes may go beyond it.
   *
   * @default 512 MiB
   */
  readonly maxBytes?: number;
  /** Called when messages are dropped because of {@link maxBytes}, with the bytes that they took. */
  readonly onShortened?: (channel: string, bytes: number) => void;
}

const RULES: Rules<MemoryBrokerOptions> = {
  now: fn,
  random: fn,
  maxChannels: whole,
  maxBytes: positive,
  onShortened: fn,
};

/** A {@link Broker} that answers at once and keeps everything in this process. */
export interface MemoryBroker extends Broker {
  append(channel: ChannelSpec, messages: readonly NewMessage[]): AppendOutcome;
  read(channel: ChannelSpec, since: Since, limit: PageLimit): Page | undefined;
  subscribe(channel: ChannelSpec, listener: AppendListener): Subscription;
  heads(names: readonly string[]): readonly (Head | undefined)[];
  close(): void;
  /** What all channels together take, see {@link MemoryBrokerOptions.maxBytes}. */
  readonly bytes: number;
  /**
   * Ends the life of this channel's log, as a restart or a flush would: its messages, offsets and ids are gone, and
   * it goes on in a later epoch. Listeners stay and learn of it by the next message. For tests of what then happens.
   */
  forget(name: string): void;
  /**
   * Drops the messages that this channel keeps, as newer ones and retention would: who is behind has a gap. Its
   * positions and ids go on, and so do its listeners; the values of a `latest` channel stay. For tests of what then
   * happens.
   */
  trim(name: string): void;
}

/** Seconds after which there may be room again. */
const RETRY_AFTER = 10;

const CAPABILITIES: BrokerCapabilities = Object.freeze({ name: "memory", stored: "memory", shared: false });

/**
 * The default broker: nothing to install, synchronous, and gone with the process. After a restart every channel has
 * a later epoch, so that old positions are answered with a gap and not with silence.
 *
 * Values of `latest` channels have no age: such a channel lives until {@link MemoryBrokerOptions.maxChannels} is
 * reached. A channel whose `keep` changes begins a new life.
 *
 * @example
 * ```ts
 * import { createPartyline } from "partyline";
 * import { createMemoryBroker } from "partyline/brokers/memory";
 *
 * const server = createPartyline({ broker: createMemoryBroker({ maxChannels: 10_000 }) });
 * ```
 */
export function createMemoryBroker(options: MemoryBrokerOptions = {}): MemoryBroker {
  const read = readOptions("createMemoryBroker()", options, RULES);
  const { now = Date.now, random = Math.random, maxChannels = 1_000_000, onShortened } = read;
  const { maxBytes = DEFAULT_LIMITS.logBytes } = read;
  let newest = 0;
  let closed = false;
  const time = (): number => (newest = Math.max(newest, Math.floor(now())));
  const deliver = createDelivery();
  const epochs = new BlankEpochs(createEpochs(random));
  const channels = new Channels({ maxChannels, maxBytes }, epochs, time, (channel, bytes) => {
    onShortened?.(channel.spec.name, bytes);
    if (channel.listeners !== undefined) deliver(channel, []);
  });
  const keepBytes = createByteKeeper();

  const enter = (): number => {
    if (closed) throw new PartylineError("draining", "The broker is closed.");
    return time();
  };

  return {
    capabilities: CAPABILITIES,
    time,
    get bytes() {
      return channels.bytes;
    },

    append(spec, messages) {
      const at = enter();
      const channel = channels.open(spec, at);
      if (channel instanceof PartylineError) return { is: "refused", index: 0, error: channel };
      if (channels.bytes > maxBytes && !channels.makeRoom(channel) && messages.some(takesRoom))
        return { is: "refused", index: messages.findIndex(takesRoom), error: tooMuch(maxBytes) };
      // What is too old is gone before it can be replaced: else the answer to a later `since` hung on who asked when.
      if (spec.keep === "latest") channel.log.trim(spec.retention, at);
      const places = takePlaces(channel, messages, at);
      if (places !== undefined && !Array.isArray(places)) return places;
      const results: Appended[] = [];
      const entries: Entry[] = [];
      for (let index = 0; index < messages.length; index++) {
        const known = places?.[index];
        const message = messages[index];
        const { epoch } = channel;
        if (message === undefined) continue;
        if (known !== undefined && known.offset <= channel.head) {
          results.push({ position: { epoch, offset: known.offset }, time: known.time, duplicate: true });
          continue;
        }
        // What is not kept lives no longer than the turn: it may pin its chunk.
        const data = spec.keep === "nothing" ? message.data : keepBytes(message.data);
        const entry = store(channel, message, { time: at, data });
        if (known !== undefined) channel.ids?.keep(known);
        entries.push(entry);
        results.push({ position: { epoch, offset: entry.offset }, time: at, duplicate: false });
      }
      if (entries.length > 0) {
        channel.log.trim(spec.retention, at);
        channels.touch(channel, at);
        if (channel.listeners !== undefined) deliver(channel, entries);
      }
      return { is: "stored", results };
    },

    read(spec, since, limit) {
      const at = enter();
      const channel = channels.findBySpec(spec, at);
      if (channel === undefined) return undefined;
      const { epoch, head, log } = channel;
      log.trim(spec.retention, at);
      channels.count(channel);
      const state = { epoch, head, oldest: log.oldest(head), floor: log.floor(head) };
      const { position, gap } = resolveSince(since, state, spec.keep);
      const remaining = log.remaining(position.offset);
      return { position, gap, entries: log.read(position.offset, limit), epoch, head, remaining };
    },

    subscribe(spec, listener) {
      const at = enter();
      const channel = channels.open(spec, at);
      if (channel instanceof PartylineError) throw channel;
      return follow(channels, channel, listener, time);
    },

    heads(names) {
      const at = enter();
      return names.map((name) => {
        const channel = channels.find(name, at);
        if (channel === undefined) return undefined;
        const { epoch, head, log } = channel;
        log.trim(channel.spec.retention, at);
        return { position: { epoch, offset: head }, oldest: log.oldest(head) };
      });
    },

    close() {
      closed = true;
      channels.close();
    },

    forget(name) {
      channels.forget(name, enter());
    },

    trim(name) {
      const at = enter();
      const channel = channels.find(name, at);
      if (channel === undefined) return;
      channel.log.trim(NOTHING_KEPT, at);
      channels.count(channel);
      deliver(channel, []);
    },
  };
}

function takesRoom({ kind }: NewMessage): boolean {
  return kind !== "deleted";
}

function tooMuch(maxBytes: number): PartylineError {
  return new PartylineError("overloaded", `All channels together keep at most ${maxBytes} bytes.`, {
    remedy: "Keep less in each channel, or raise `limits.logBytes`.",
    retryAfter: RETRY_AFTER,
  });
}

function store(channel: Channel, { kind, id, key }: NewMessage, kept: Pick<Entry, "time" | "data">): Entry {
  const entry: Entry = { offset: channel.head + 1, time: kept.time, kind, id, key, data: kept.data };
  channel.head = entry.offset;
  channel.log.push(entry);
  return entry;
}

function follow(
  channels: Channels,
  channel: Channel,
  listener: AppendListener,
  time: () => number,
): Subscription {
  let open = true;
  // Its own function, so that one listener may be there twice and each subscription ends alone.
  const own: AppendListener = (epoch, entries) => {
    if (open) listener(epoch, entries);
  };
  if (channel.listeners === undefined) channels.busy(channel);
  channel.listeners = [...(channel.listeners ?? []), own];
  return {
    head: { epoch: channel.epoch, offset: channel.head },
    close() {
      if (!open) return;
      open = false;
      const left = (channel.listeners ?? []).filter((other) => other !== own);
      channel.listeners = left.length > 0 ? left : undefined;
      if (left.length === 0) channels.idle(channel, time());
    },
  };
}
