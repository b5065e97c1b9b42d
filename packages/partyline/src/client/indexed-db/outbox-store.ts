/** A publish as a store keeps it: JSON, named by `queue` and `order`. */
export interface StoredPublish {
  /** Names the page that published it; names of later pages sort behind those of earlier ones. */
  readonly queue: string;
  /** Its place in the queue. */
  readonly order: number;
  readonly channel: string;
  readonly id: string;
  /** The members of its frame that never change, as JSON without braces. */
  readonly fields: string;
  /** When it was published, ms since 1970 by the machine's clock. */
  readonly since: number;
  /** When it is given up, by the same clock; absent for never. */
  readonly until?: number;
  /** Its first attempt, ms by the broker's clock; 0 where it was never sent. */
  readonly at: number;
}

/** What a store is asked at the beginning. */
export interface LoadRequest {
  /** Of the server's `/connect`: what was meant for another server must not be given. */
  readonly url: string;
  /** This page's own queue: nobody else may take it as long as the page lives. */
  readonly queue: string;
  /** Takes what turns out to be left behind later, because its page is gone only then. */
  readonly later: (publishes: readonly StoredPublish[]) => void;
}

/**
 * Keeps unsettled publishes beyond the page, on a disk or wherever else.
 *
 * Promises: what `put` has resolved for is there for a later page, as it was put last, until it is removed. Calls take
 * effect in their order. A queue is given to one page only, and not while the page that it is of lives.
 *
 * @example The smallest store, for a program that is the only one (no queue of another one that lives).
 * ```ts
 * const name = ({ queue, order }: StoredPublish): string => `${queue}/${String(order).padStart(9, "0")}`;
 * const store: OutboxStore = {
 *   load: async () => (await db.values()).map((text) => JSON.parse(text)), // in the order of their names
 *   put: (publishes) => db.batch(publishes.map((publish) => ["put", name(publish), JSON.stringify(publish)])),
 *   remove: (publishes) => db.batch(publishes.map((publish) => ["del", name(publish)])),
 *   close: () => undefined,
 * };
 * ```
 */
export interface OutboxStore {
  /** Called once and first. Gives what earlier pages left behind, by queue and order; from now on it is this page's. */
  load(request: LoadRequest): Promise<readonly StoredPublish[]>;
  /** Stores, or stores anew under the same `queue` and `order`. */
  put(publishes: readonly StoredPublish[]): Promise<unknown>;
  remove(publishes: readonly StoredPublish[]): Promise<unknown>;
  /** The client is closed: its queues may be taken by others. */
  close(): void;
}
