import type { OutboxStore, StoredPublish } from "./outbox-store.ts";
import { createQueueLocks, type QueueLocks } from "./queue-locks.ts";

const PUBLISHES = "publishes";

/** A store in IndexedDB, in which a Web Lock says whose each queue is. */
export function createIndexedDbStore(name: string): OutboxStore {
  let opened: Promise<IDBDatabase> | undefined;
  let locks: QueueLocks | undefined;

  /** Asks one thing of the database; resolves when what was asked is there to stay. */
  const transact = async <T>(
    mode: IDBTransactionMode,
    ask: (publishes: IDBObjectStore) => IDBRequest<T> | undefined,
  ): Promise<T | undefined> => {
    if (!opened) throw new Error("The store was not loaded.");
    const transaction = (await opened).transaction(PUBLISHES, mode);
    return new Promise((resolve, reject) => {
      const request = ask(transaction.objectStore(PUBLISHES));
      transaction.oncomplete = () => resolve(request?.result);
      transaction.onabort = () => reject(transaction.error ?? new Error("The transaction was aborted."));
      // Now, and not when the page has handled the results: it may be gone by then.
      if (mode === "readwrite") transaction.commit?.();
    });
  };
  const read = async (queue: string): Promise<readonly StoredPublish[]> =>
    (await transact<StoredPublish[]>("readonly", (publishes) =>
      publishes.getAll(IDBKeyRange.bound([queue], [queue, []])),
    )) ?? [];

  return {
    async load({ url, queue, later }) {
      const database = `partyline ${name} ${url}`;
      const own = (locks = createQueueLocks(database));
      await own.take(queue);
      opened = openDatabase(database);
      const keys = await transact("readonly", (publishes) => publishes.getAllKeys());
      const queues = new Set((keys as [string, number][] | undefined)?.map(([of]) => of));
      queues.delete(queue);
      const left: StoredPublish[] = [];
      for (const other of [...queues].sort()) {
        if (await own.tryTake(other)) left.push(...(await read(other)));
        else
          own.whenFree(other, async () => {
            later(await read(other));
          });
      }
      return left;
    },
    put: (publishes) =>
      transact("readwrite", (store) => {
        for (const publish of publishes) store.put(publish);
        return undefined;
      }),
    remove: (publishes) =>
      transact("readwrite", (store) => {
        for (const { queue, order } of publishes) store.delete([queue, order]);
        return undefined;
      }),
    close() {
      locks?.close();
      opened?.then(
        (database) => database.close(),
        () => undefined,
      );
    },
  };
}

function openDatabase(name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () =>
      request.result.createObjectStore(PUBLISHES, { keyPath: ["queue", "order"] });
    request.onerror = () => reject(request.error ?? new Error("The database can't be opened."));
    request.onsuccess = () => {
      const database = request.result;
      // Somebody deletes it, or has a later version of it.
      database.onversionchange = () => database.close();
      resolve(database);
    };
  });
}
