import type { Kind } from "../../protocol/message.ts";
import type { PartylineError } from "../../protocol/partyline-error.ts";
import { bytesOf, jsonOf } from "../../protocol/payload.ts";
import type { DeleteOptions, PublishOptions, PublishResult } from "../channel-types.ts";
import type { OpenChannel } from "../channel.ts";
import { readOptions } from "../options.ts";
import type { OutboxKeeper } from "../outbox-keeper.ts";
import type { Publish, Publisher } from "../publisher.ts";
import type { OutboxStore, StoredPublish } from "./outbox-store.ts";
import { createShelf, OUTBOX_DEFAULTS, type Shelf, type StoredOutboxOptions } from "./shelf.ts";

/**
 * Keeps the publishes of a client in a store, so that they survive the page, under the same ids: what was sent before is
 * stored once all the same.
 *
 * A publish is written to the store when it is made, and sent at once where there is a connection, without waiting for
 * the store: a page that ends within these milliseconds may lose it, as it may without. What waited for a connection is
 * sent only when the store has the time of its first attempt, or gave up: a later page must know whether an id was ever
 * sent, because a server that has forgotten the ids of that time can't tell.
 * What is settled is removed. What is refused or given up is removed before anybody is told, so that no later page stores
 * it after that (unless the store fails or takes longer than `storeTimeout`). A page that ends within the milliseconds that
 * takes leaves it to be sent again, behind newer ones; what was stored is not stored twice by that.
 *
 * @example
 * ```ts
 * const client = createClient("https://example.com", { outbox: storedOutbox(myStore) });
 * ```
 */
export function storedOutbox(store: OutboxStore, options?: StoredOutboxOptions): OutboxKeeper {
  const settings = readOptions<StoredOutboxOptions, StoredOutboxOptions & { readonly storeTimeout: number }>(
    options,
    OUTBOX_DEFAULTS,
  );
  return (core, url, openChannel) => {
    const shelf = createShelf(store, { core, url, openChannel }, settings);
    return (channel) => keepChannel(channel, shelf);
  };
}

/** Puts the shelf between a channel and its publisher. */
function keepChannel({ channel, publisher, subscription }: OpenChannel, shelf: Shelf): void {
  const { core } = shelf;
  const { name } = channel;
  // What it was made with: its methods are replaced below.
  const own = { ...publisher };
  const isKept = (): boolean => subscription.keep() !== "nothing";
  const records = new Map<Publish, StoredPublish>();
  /** What is being taken up again: it may be refused before it is known as a publish. */
  let restoring: StoredPublish | undefined;
  /** First attempts that are being written. */
  let writing = 0;
  let written: Promise<unknown> = Promise.resolve();

  const now = (): number => Math.round(core.brokerTime());
  const put = (publishes: readonly Publish[]): Promise<void> => {
    const stored = publishes.flatMap((publish) => {
      const record = records.get(publish);
      return record ? { ...record, at: publish.at } : [];
    });
    return stored.length > 0 ? shelf.put(stored) : Promise.resolve();
  };
  /** Keeps what is published, until it is settled. `publish`: `undefined` where it was refused at once. */
  const keep = (
    act: () => Promise<PublishResult>,
    recordOf: (publish: Publish) => StoredPublish,
  ): { readonly outcome: Promise<PublishResult>; readonly publish: Publish | undefined } => {
    const before = publisher.pending.at(-1);
    const outcome = act();
    const publish = publisher.pending.at(-1);
    if (!publish || publish === before) return { outcome, publish: undefined };
    const resolve = publish.resolve.bind(publish);
    const reject = publish.reject.bind(publish);
    records.set(publish, recordOf(publish));
    Object.assign(publish, {
      resolve(result) {
        const removed = forget(publish);
        if (result.superseded) void removed?.then(() => resolve(result));
        else resolve(result);
      },
      reject: (error) => void forget(publish)?.then(() => reject(error)),
    } satisfies Partial<Publish>);
    return { outcome, publish };
  };
  const removals = new WeakMap<Publish, Promise<void>>();
  /** Removes what is settled, once. Resolves when it is gone, or can't be removed; `undefined` if it was never kept. */
  const forget = (publish: Publish): Promise<void> | undefined => {
    const record = records.get(publish) ?? (restoring?.id === publish.id ? restoring : undefined);
    if (!record || removals.has(publish)) return removals.get(publish);
    const removed = shelf.remove(record);
    removals.set(publish, removed);
    records.delete(publish);
    return removed;
  };
  const publishNew = (act: () => Promise<PublishResult>): Promise<PublishResult> => {
    const { outcome, publish } = keep(act, ({ id, fields, since, until, at }) => ({
      ...shelf.name(),
      channel: name,
      id,
      fields,
      since,
      ...(until < Infinity ? { until } : {}),
      at,
    }));
    if (publish) {
      // It is on its way, or will be as soon as there is room for it.
      if (core.link) publish.at ||= now();
      void put([publish]);
    }
    return outcome;
  };
  /** What was never sent is sent when the store knows of it. */
  const begin = async (): Promise<void> => {
    const { link } = core;
    await shelf.loaded;
    const unsent = publisher.pending.filter(({ at }) => !at);
    for (const publish of unsent) publish.at = now();
    writing++;
    // With what is still being written since an earlier connection.
    written = Promise.all([written, put(unsent)]);
    await written;
    writing--;
    if (link && core.link === link) own.connected();
  };

  shelf.add(name, {
    restore(stored, at) {
      const { id, since, until = Infinity } = stored;
      const { kind, key, data } = JSON.parse(`{${stored.fields}}`) as Fields;
      const repeat = {
        id,
        at,
        ttl: Math.max(until - core.runtime.date(), 0),
        ...(key === undefined ? {} : { key }),
      };
      restoring = stored;
      const { outcome, publish } = keep(
        () => (kind ? own.publish(dataOf(kind, data), { ...repeat, kind }) : own.delete(key ?? "", repeat)),
        () => stored,
      );
      restoring = undefined;
      shelf.orphan(outcome);
      if (!publish) return undefined;
      // The page before may have had it stored.
      return Object.assign(
        publish,
        { since },
        stored.at ? { state: "uncertain" as const, attempts: Math.max(publish.attempts, 1) } : {},
      );
    },
    settling: forget,
  });
  /** Marks a rejection as handled if it was reported or wished for, as the publisher does with its own. */
  const mark = (result: Promise<PublishResult>): Promise<PublishResult> => {
    const marked = result.catch((error: PartylineError) => {
      if (core.events.has("dropped") || error.code === "closed")
        queueMicrotask(() => void marked.catch(() => undefined));
      throw error;
    });
    return marked;
  };
  const publishKept = async (data: unknown, options?: PublishOptions): Promise<PublishResult> => {
    if (!isKept()) return own.publish(data, options);
    // What the caller changes meanwhile is not part of the message.
    const message = shelf.isLoaded ? data : copyOf(data);
    return shelf.inTurn(() => publishNew(() => own.publish(message, options)));
  };
  Object.assign(publisher, {
    publish: (data: unknown, options?: PublishOptions) => mark(publishKept(data, options)),
    delete: (key: string, options?: DeleteOptions) =>
      mark(shelf.inTurn(() => publishNew(() => own.delete(key, options)))),
    connected() {
      // Where nothing has to be written it goes on in this turn: until then an older connection may be sent on.
      if (shelf.isLoaded && !writing && publisher.pending.every(({ at }) => at)) own.connected();
      else void begin();
    },
  } satisfies Partial<Publisher>);
}

/** What is read of `StoredPublish.fields`. */
interface Fields {
  /** Absent where a key is deleted. */
  readonly kind?: Kind;
  readonly key?: string;
  readonly data?: unknown;
}

function dataOf(kind: Kind, data: unknown): unknown {
  return kind === "binary"
    ? Uint8Array.from(atob(String(data)), (character) => character.charCodeAt(0))
    : data;
}

function copyOf(data: unknown): unknown {
  try {
    return bytesOf(data)?.slice() ?? JSON.parse(jsonOf(data));
  } catch {
    // The publisher refuses it.
    return data;
  }
}
