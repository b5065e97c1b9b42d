import type { ClientLimits } from "./core.ts";

/** A bounded queue between whoever is told and an iterator that takes its time. */
export interface Inbox<T> {
  push(item: T, size: number): void;
  /** Nothing more should come before `drained` is called. */
  readonly full: boolean;
  /** What waits is still read, then the iterator is done, or throws. */
  end(error?: Error): void;
  readonly iterator: AsyncIterableIterator<T, void>;
}

type Result<T> = IteratorResult<T, void>;

/**
 * @param drained Called when it was full and is half empty.
 * @param left Called when the iterator reads no more; perhaps more than once.
 */
export function createInbox<T>(
  limits: Pick<ClientLimits, "bufferedMessages" | "bufferedBytes">,
  drained: () => void,
  left: () => void,
): Inbox<T> {
  let items: { readonly item: T; readonly size: number }[] = [];
  let bytes = 0;
  let full = false;
  let over = false;
  let failure: Error | undefined;
  const waiting: ((result: Result<T> | Promise<Result<T>>) => void)[] = [];

  const finish = async (): Promise<Result<T>> => {
    left();
    const error = failure;
    // Thrown once; whoever asks again is told that it is over.
    failure = undefined;
    if (error) throw error;
    return { done: true, value: undefined };
  };
  const end = (error?: Error): void => {
    if (over) return;
    over = true;
    failure = error;
    for (const next of waiting.splice(0)) next(finish());
    if (items.length === 0 && !error) left();
  };

  return {
    get full() {
      return full;
    },
    push(item, size) {
      if (over) return;
      const next = waiting.shift();
      if (next) {
        next({ done: false, value: item });
        return;
      }
      items.push({ item, size });
      bytes += size;
      full ||= items.length >= limits.bufferedMessages || bytes >= limits.bufferedBytes;
    },
    end,
    iterator: {
      [Symbol.asyncIterator]() {
        return this;
      },
      async next() {
        const first = items.shift();
        if (first) {
          bytes -= first.size;
          if (full && items.length <= limits.bufferedMessages / 2 && bytes <= limits.bufferedBytes / 2) {
            full = false;
            drained();
          }
          return { done: false, value: first.item };
        }
        return over ? finish() : new Promise((resolve) => void waiting.push(resolve));
      },
      async return() {
        items = [];
        over = true;
        failure = undefined;
        for (const next of waiting.splice(0)) next(finish());
        return finish();
      },
    },
  };
}
