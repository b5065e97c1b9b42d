/** What the client takes from the world; tests bring their own. */
export interface Runtime {
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  /** Milliseconds since 1970 by the machine's clock, which goes on through sleep, and jumps. */
  readonly date: () => number;
  /** Calls once after `ms`, or never after 25 days and more. The returned function calls it off. */
  after(ms: number, run: () => void): () => void;
  /** From 0 to below 1, for jitter only. */
  readonly random: () => number;
  /** 128 random bits. Nobody can guess them, unless the runtime has no `crypto`, as React Native. */
  randomBytes(): Uint8Array;
  /** An error that no caller can be given: a listener threw, or nobody listens for what must be heard. */
  readonly report: (error: unknown) => void;
  /** Writes a line for the developer to the console. */
  readonly warn: (...text: string[]) => void;
  /** `false` where the runtime is sure that there is no network. */
  isOnline(): boolean;
  /** Tells when the runtime's idea of the network changes; the returned function ends that. */
  onNetwork(change: () => void): () => void;
  /** What an earlier page has noted under this name. */
  recall(name: string): string | undefined;
}

/** Runtimes fire timers of this length, 25 days, and longer ones at once. */
const TIMER_LIMIT_MS = 2 ** 31;

/** The runtime of browsers, Node and others alike. */
export const globalRuntime: Runtime = {
  now: () => performance.now(),
  date: Date.now,
  after(ms, run) {
    const timer = ms < TIMER_LIMIT_MS ? setTimeout(run, ms) : undefined;
    return () => clearTimeout(timer);
  },
  random: Math.random,
  randomBytes() {
    const bytes = Uint8Array.from({ length: 16 }, () => Math.random() * 256);
    return globalThis.crypto?.getRandomValues?.(bytes) ?? bytes;
  },
  report(error) {
    queueMicrotask(() => {
      throw error;
    });
  },
  // oxlint-disable-next-line no-console -- the only way to tell a developer what the page must not show
  warn: (...text) => console.warn(...text),
  // Node has a navigator without `onLine`, and no `addEventListener`.
  isOnline: () => globalThis.navigator?.onLine !== false,
  onNetwork(change) {
    const { addEventListener: add, removeEventListener: remove } = globalThis;
    add?.("online", change);
    add?.("offline", change);
    return () => {
      remove?.("online", change);
      remove?.("offline", change);
    };
  },
  recall(name) {
    try {
      // Node has no such place, and warns of it.
      return globalThis.document && (localStorage[name] as string | undefined);
    } catch {
      // The page may keep nothing.
      return undefined;
    }
  },
};
