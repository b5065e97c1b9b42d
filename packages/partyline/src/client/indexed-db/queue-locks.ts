/** Which queues are this page's, as long as it lives. */
export interface QueueLocks {
  /** Takes one as soon as it is free. */
  take(queue: string): Promise<void>;
  /** Takes one if it is free. */
  tryTake(queue: string): Promise<boolean>;
  /** Waits for one that another page has. */
  whenFree(queue: string, taken: () => Promise<void>): void;
  close(): void;
}

/**
 * Locks of the origin's pages; they end with the page, however it ends. A page that goes into the back/forward cache lets
 * go of them (it could not stay there otherwise), and takes them again when it comes back: where another page has sent its
 * publishes meanwhile, their ids make that harmless.
 */
export function createQueueLocks(scope: string): QueueLocks {
  const { locks } = navigator;
  const waits = new AbortController();
  const owned = new Set<string>();
  let release = (): void => undefined;
  let released = Promise.resolve();

  const renew = (): void => {
    released = new Promise((resolve) => (release = resolve));
  };
  const request = (queue: string, options: LockOptions): Promise<boolean> =>
    new Promise((resolve, reject) => {
      locks
        .request(`${scope} ${queue}`, options, (lock) => {
          if (lock) owned.add(queue);
          resolve(lock !== null);
          return lock ? released : undefined;
        })
        .catch(reject);
    });
  const wait = (queue: string): Promise<boolean> => request(queue, { signal: waits.signal });

  const hide = (): void => release();
  const show = ({ persisted }: PageTransitionEvent): void => {
    if (!persisted) return;
    renew();
    for (const queue of owned) wait(queue).catch(() => undefined);
  };
  renew();
  addEventListener("pagehide", hide);
  addEventListener("pageshow", show);

  return {
    async take(queue) {
      await wait(queue);
    },
    tryTake: (queue) => request(queue, { ifAvailable: true }),
    whenFree(queue, taken) {
      // Given up where the page ends, or the client is closed.
      wait(queue)
        .then(taken)
        .catch(() => undefined);
    },
    close() {
      removeEventListener("pagehide", hide);
      removeEventListener("pageshow", show);
      waits.abort();
      release();
    },
  };
}
