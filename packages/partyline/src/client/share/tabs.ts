/** What the tabs of one origin have in common: locks, a way to talk, and names that give nothing away. */
export interface Tabs {
  /**
   * Asks for a lock, of which one tab at a time has one.
   *
   * @param ask `granted` is called when it is there; `lost` when another tab has stolen it, or when it can't be had.
   * @returns Gives it back, or stops waiting for it.
   */
  lock(name: string, ask: LockRequest): () => void;
  /** Takes part in what is said under a name; who says something does not hear it. */
  join<Message>(name: string, hear?: (message: Message) => void): Voice;
  /**
   * Calls before the page is frozen, until the returned function is called. A frozen page reads nothing of the network
   * and has no timers, but it still hears other tabs, and so would seem to be there.
   */
  onFreeze(freeze: () => void): () => void;
  /** SHA-256, as text that can be a part of a name. */
  digest(text: string): Promise<string>;
}

export interface LockRequest {
  /** Takes it from whoever has it, past those who wait. */
  readonly steal?: boolean;
  readonly granted: () => void;
  readonly lost?: (stolen: boolean) => void;
}

/** One end of a conversation under a name. */
export interface Voice {
  post(message: object): void;
  close(): void;
}

/** The tabs of the browser; `null` where it lacks what is needed: pages that are not secure (`http:`) have no locks. */
export function browserTabs(): Tabs | null {
  const { BroadcastChannel, crypto, navigator } = globalThis;
  const locks = navigator?.locks as LockManager | undefined;
  const subtle = crypto?.subtle as SubtleCrypto | undefined;
  if (!locks || !subtle || !BroadcastChannel) return null;
  return {
    lock(name, { steal = false, granted, lost }) {
      const waiting = new AbortController();
      let over = false;
      let release = (): void => undefined;
      const hold = (): Promise<void> | undefined => {
        if (over) return undefined;
        return new Promise((resolve) => {
          release = resolve;
          granted();
        });
      };
      // A request that steals can't be called off, and need not be: it is granted at once.
      locks.request(name, steal ? { steal } : { signal: waiting.signal }, hold).catch((error: unknown) => {
        if (!over) lost?.((error as Error).name === "AbortError");
      });
      return () => {
        over = true;
        release();
        waiting.abort();
      };
    },
    join<Message>(name: string, hear?: (message: Message) => void) {
      const channel = new BroadcastChannel(name);
      if (hear) channel.onmessage = ({ data }: MessageEvent<Message>) => hear(data);
      return {
        post: (message) => channel.postMessage(message),
        close: () => channel.close(),
      };
    },
    onFreeze(freeze) {
      const { document } = globalThis;
      document?.addEventListener("freeze", freeze);
      return () => document?.removeEventListener("freeze", freeze);
    },
    async digest(text) {
      const bytes = new Uint8Array(await subtle.digest("SHA-256", new TextEncoder().encode(text)));
      return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    },
  };
}
