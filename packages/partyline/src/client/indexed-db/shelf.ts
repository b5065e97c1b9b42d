import type { PendingPublish } from "../channel-types.ts";
import type { Core } from "../core.ts";
import type { OptionDefaults } from "../options.ts";
import type { Publish } from "../publisher.ts";
import type { OutboxStore, StoredPublish } from "./outbox-store.ts";

/** How publishes are kept; all of it has a default. */
export interface StoredOutboxOptions {
  /**
   * Told of publishes of earlier pages that are sent now: no promise of this page is settled by them. They stand in
   * their channels' `pending`; what becomes of those that are given up is told by the client's event `dropped`. Default: none.
   */
  readonly onRestored?: ((publishes: readonly PendingPublish[]) => void) | undefined;
  /**
   * Told that publishes are not kept, for lack of space or because the browser forbids it: they are sent all the same. Once
   * until it is well again. Default: reported as an uncaught error.
   */
  readonly onError?: ((error: unknown) => void) | undefined;
  /**
   * How long the store may take before publishes are sent without it, ms. Of those a later page may find some as never
   * sent, and where the server knows their ids no more they are stored twice. Default 2 000.
   */
  readonly storeTimeout?: number | undefined;
}

/** The defaults of {@link StoredOutboxOptions}. */
export const OUTBOX_DEFAULTS: OptionDefaults<StoredOutboxOptions> = {
  onRestored: undefined,
  onError: undefined,
  storeTimeout: 2000,
};

/** The part of one channel. */
export interface Part {
  /**
   * Takes a publish of an earlier page up again.
   *
   * @param at Its first attempt, where it may have to be sent in this turn.
   */
  restore(stored: StoredPublish, at: number): Publish | undefined;
  /** Removes what is about to be told as given up; `undefined` if it is not kept. */
  settling(publish: PendingPublish): Promise<void> | undefined;
}

/** The store as one client uses it. */
export interface Shelf {
  readonly core: Core;
  /** The publishes of earlier pages have been taken up, or can't be. */
  readonly loaded: Promise<void>;
  /** So it is, and nobody waits any more who asked before. */
  readonly isLoaded: boolean;
  /** Acts now, or after the publishes of earlier pages and after all who asked before. */
  inTurn<T>(act: () => Promise<T>): Promise<T>;
  add(channel: string, part: Part): void;
  /** Names a new publish. */
  name(): Pick<StoredPublish, "queue" | "order">;
  /** Resolves when it is written, or can't be. */
  put(publishes: readonly StoredPublish[]): Promise<void>;
  /** Resolves when it is gone, or can't be removed. */
  remove(publish: StoredPublish): Promise<void>;
  /** Nobody waits for the outcome: a failure that nobody was told is reported. */
  orphan(outcome: Promise<unknown>): void;
}

/** What the client lends. */
interface ShelfHost {
  readonly core: Core;
  readonly url: string;
  readonly openChannel: (name: string) => { readonly channel: { readonly name: string } };
}

/** Loads what earlier pages left, and asks the store in bounded time. */
export function createShelf(
  store: OutboxStore,
  { core, url, openChannel }: ShelfHost,
  { onRestored, onError, storeTimeout }: StoredOutboxOptions & { readonly storeTimeout: number },
): Shelf {
  const { events, runtime } = core;
  const parts = new Map<string, Part>();
  const queue = queueName(runtime.date(), runtime.randomBytes());
  let order = 0;
  let isBroken = false;
  let isClosed = false;

  const failed = (cause: unknown): void => {
    if (!isBroken && !isClosed)
      (onError ?? runtime.report)(new Error("Publishes are not kept beyond this page.", { cause }));
    isBroken = true;
  };
  /** Resolves in bounded time, whatever the store does. */
  const asked = new Set<Promise<void>>();
  const ask = <T>(
    action: () => Promise<T>,
    take: (answer: T) => unknown = () => undefined,
  ): Promise<void> => {
    const answered = new Promise<void>((resolve) => {
      const stop = runtime.after(storeTimeout, () => {
        failed(new Error(`The store took more than ${storeTimeout} ms.`));
        resolve();
      });
      // What the store throws at once is a failure like any other.
      Promise.resolve()
        .then(action)
        .then(take)
        .catch(failed)
        .finally(() => {
          stop();
          resolve();
        });
    });
    asked.add(answered);
    void answered.then(() => asked.delete(answered));
    return answered;
  };
  const put = (publishes: readonly StoredPublish[]): Promise<void> =>
    ask(
      () => store.put(publishes),
      () => (isBroken = false),
    );

  const restore = async (publishes: readonly StoredPublish[]): Promise<void> => {
    const time = core.link ? Math.round(core.brokerTime()) : 0;
    const unsent = publishes.filter(({ at }) => !at);
    // They may be sent in this turn.
    if (time && unsent.length > 0) await put(unsent.map((stored) => ({ ...stored, at: time })));
    const restored: Publish[] = [];
    for (const stored of publishes) {
      // What is not taken up stays for a later page.
      if (isClosed) return;
      // A store of an older version may hold another spelling of the name.
      const { name } = openChannel(stored.channel).channel;
      const publish = parts.get(name)?.restore(stored, stored.at || time);
      if (publish) restored.push(publish);
    }
    if (restored.length > 0) onRestored?.(restored);
  };
  const later = (publishes: readonly StoredPublish[]): void => void restore(publishes).catch(runtime.report);
  let waiting = 1;
  const loaded = ask(() => store.load({ url: url, queue, later }), restore).then(() => void waiting--);

  const emit = events.emit.bind(events);
  // A page that was told must not end before the store knows: the next page would send it all the same.
  events.emit = (event, value) => {
    const gone = "publish" in value && parts.get(value.publish.channel)?.settling(value.publish);
    if (gone) void gone.then(() => emit(event, value));
    else emit(event, value);
  };

  events.on("state", ({ status }) => {
    if (status !== "closed") return;
    isClosed = true;
    // What was refused by that is still to be removed.
    runtime.after(0, () => void Promise.all(asked).then(() => store.close()));
  });

  return {
    core,
    get isLoaded() {
      return waiting === 0;
    },
    async inTurn(act) {
      if (waiting === 0) return act();
      waiting++;
      return loaded.then(() => {
        waiting--;
        return act();
      });
    },
    loaded,
    add: (channel, part) => void parts.set(channel, part),
    name: () => ({ queue, order: order++ }),
    put,
    remove: (publish) => ask(() => store.remove([publish])),
    orphan(outcome) {
      outcome.catch((error: unknown) => {
        if (!events.has("dropped")) runtime.report(error);
      });
    },
  };
}

/** Sorts by time. */
function queueName(time: number, random: Uint8Array): string {
  const tail = Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${time.toString(36).padStart(9, "0")}-${tail}`;
}
