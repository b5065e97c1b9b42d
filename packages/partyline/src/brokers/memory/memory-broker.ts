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
  Retention,
  Subscription,
} from "../../core/ports.ts";
import { PartylineError } from "../../protocol/errors.ts";
import type { Entry } from "../../protocol/message.ts";
import type { Since } from "../../protocol/position.ts";
import { resolveSince } from "../../protocol/since.ts";
import type { Channel } from "./channel.ts";
import { Channels } from "./channels.ts";
import { createEpochs } from "./epoch.ts";
import { IdWindow, type KnownId } from "./ids.ts";
import { KeyCount, LatestLog } from "./latest.ts";
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
   * Most channels at once; for one more, the one that has been idle longest is dropped, with what it holds. Where
   * every one is listened to, a new one is refused, `overloaded`.
   *
   * @default 1_000_000
   */
  readonly maxChannels?: number;
}

/** A {@link Broker} that answers at once and keeps everything in this process. */
export interface MemoryBroker extends Broker {
  append(channel: ChannelSpec, messages: readonly NewMessage[]): AppendOutcome;
  read(channel: ChannelSpec, since: Since, limit: PageLimit): Page | undefined;
  subscribe(channel: ChannelSpec, listener: AppendListener): Subscription;
  heads(names: readonly string[]): readonly (Head | undefined)[];
  close(): void;
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

/** What {@link MemoryBroker.trim} leaves. */
const NOTHING_KEPT: Retention = Object.freeze({ count: 0, bytes: 0, age: -1 });

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
  const { now = Date.now, random = Math.random, maxChannels = 1_000_000 } = options;
  let newest = 0;
  let closed = false;
  const time = (): number => (newest = Math.max(newest, Math.floor(now())));
  const channels = new Channels(maxChannels, createEpochs(random), time);
  const deliver = createDelivery();
  const keepBytes = createByteKeeper();

  const enter = (): number => {
    if (closed) throw new PartylineError("draining", "The broker is closed.");
    return time();
  };

  return {
    capabilities: CAPABILITIES,
    time,

    append(spec, messages) {
      const at = enter();
      const channel = channels.open(spec, at);
      if (channel instanceof PartylineError) return { is: "refused", index: 0, error: channel };
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
      deliver(channel, []);
    },
  };
}

/**
 * The place that each publish with an id has or will have; `undefined` where no message has an id and none can be
 * refused. Where one is refused nothing is changed.
 */
function takePlaces(
  channel: Channel,
  messages: readonly NewMessage[],
  time: number,
): (KnownId | undefined)[] | undefined | Extract<AppendOutcome, { is: "refused" }> {
  const { log, head } = channel;
  const { maxKeys } = channel.spec;
  const keys =
    log instanceof LatestLog && log.values + messages.length > maxKeys
      ? new KeyCount(log, maxKeys)
      : undefined;
  let places: (KnownId | undefined)[] | undefined;
  let offset = head + 1;
  for (let index = 0; index < messages.length; index++) {
    const message = messages[index];
    if (message === undefined) continue;
    const { id } = message;
    let error: PartylineError | undefined;
    let isNew = true;
    if (id !== undefined) {
      if (places === undefined) {
        places = [];
        channel.ids ??= new IdWindow();
        channel.ids.trim(time);
      }
      const place = channel.ids?.reserve(id, message, { offset, time });
      if (place instanceof PartylineError) error = place;
      else {
        places[index] = place;
        isNew = place?.offset === offset;
      }
    }
    if (error === undefined && isNew && keys !== undefined && !keys.admits(message))
      error = new PartylineError("too-many-keys", `The channel ${channel.spec.name} has ${maxKeys} keys.`);
    if (error !== undefined) {
      for (const place of places ?? []) if (place && place.offset > head) channel.ids?.release(place);
      return { is: "refused", index, error };
    }
    if (isNew) offset += 1;
  }
  return places;
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

/**
 * Calls the listeners. A listener that appends in its turn does not overtake: what it appends is handed on when all
 * have been told of what it answers.
 */
function createDelivery(): (channel: Channel, entries: readonly Entry[]) => void {
  const waiting: (() => void)[] = [];
  let delivering = false;
  const tell = (listeners: readonly AppendListener[], epoch: string, entries: readonly Entry[]): void => {
    for (const listener of listeners) {
      try {
        listener(epoch, entries);
      } catch (error) {
        // The message is stored, so `append` must not throw, and the others must be told: it surfaces by itself.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  };
  return (channel, entries) => {
    const { listeners = [], epoch } = channel;
    if (delivering) {
      waiting.push(() => tell(listeners, epoch, entries));
      return;
    }
    delivering = true;
    tell(listeners, epoch, entries);
    for (let next = waiting.shift(); next; next = waiting.shift()) next();
    delivering = false;
  };
}
