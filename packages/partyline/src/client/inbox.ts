/** Bounds of what waits between the connection and whoever reads; the first one reached counts. */
export interface InboxLimits {
  /** Messages. Default 1 000. */
  readonly bufferedMessages: number;
  /** Bytes of their lines. Default 1 MiB. */
  readonly bufferedBytes: number;
}

/** A bounded queue between whoever is told and an iterator that takes its time. */
export interface Inbox<T> {
  push(item: T, size: number): void;
  /** Nothing more should come before `drained` was called. */
  readonly full: boolean;
  /** What waits is still read, then the iterator throws. */
  fail(error: Error): void;
  /** What waits is still read, then the iterator is done. */
  end(): void;
  readonly iterator: AsyncIterableIterator<T, void>;
}

/** What an inbox tells. */
export interface InboxPort {
  /** It was full and is half empty now. */
  drained(): void;
  /** The iterator will not read any more. */
  left(): void;
}

type Result<T> = IteratorResult<T, void>;

export function createInbox<T>(limits: InboxLimits, port: InboxPort): Inbox<T> {
  let items: { readonly item: T; readonly size: number }[] = [];
  let bytes = 0;
  let full = false;
  let end: "open" | "done" | Error = "open";
  let left = false;
  const waiting: ((result: Result<T> | Promise<Result<T>>) => void)[] = [];

  const leave = (): void => {
    if (!left) port.left();
    left = true;
  };
  const finished = (): Promise<Result<T>> => {
    leave();
    if (end === "open" || end === "done") return Promise.resolve({ done: true, value: undefined });
    const error = end;
    // Thrown once; whoever asks again is told that it is over.
    end = "done";
    return Promise.reject(error);
  };
  const close = (how: "done" | Error): void => {
    if (end !== "open") return;
    end = how;
    for (const next of waiting.splice(0)) next(finished());
  };

  return {
    get full() {
      return full;
    },
    push(item, size) {
      if (end !== "open") return;
      const next = waiting.shift();
      if (next) {
        next({ done: false, value: item });
        return;
      }
      items.push({ item, size });
      bytes += size;
      full ||= items.length >= limits.bufferedMessages || bytes >= limits.bufferedBytes;
    },
    fail: close,
    end: () => close("done"),
    iterator: {
      [Symbol.asyncIterator]() {
        return this;
      },
      next() {
        const first = items.shift();
        if (first) {
          bytes -= first.size;
          if (full && items.length <= limits.bufferedMessages / 2 && bytes <= limits.bufferedBytes / 2) {
            full = false;
            port.drained();
          }
          return Promise.resolve({ done: false, value: first.item });
        }
        if (end !== "open") return finished();
        return new Promise((resolve) => void waiting.push(resolve));
      },
      return() {
        items = [];
        close("done");
        return finished();
      },
    },
  };
}
