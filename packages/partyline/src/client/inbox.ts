import type { ClientLimits } from "./core.ts";

type InboxLimits = Pick<ClientLimits, "bufferedMessages" | "bufferedBytes">;

/** A bounded queue between whoever is told and an iterator that takes its time. */
export interface Inbox<T> {
  push(item: T, size: number): void;
  /** Nothing more should come before `drained` is called. */
  readonly full: boolean;
  /** Takes nothing more; what waits is still read, then the iterator is done, or throws. */
  end(error?: Error): void;
  readonly iterator: AsyncGenerator<T, void>;
}

/**
 * @param drained Called when it was full and is half empty.
 * @param ended Called when nothing more is taken.
 */
export function createInbox<T>(limits: InboxLimits, drained: () => void, ended: () => void): Inbox<T> {
  const { bufferedMessages, bufferedBytes } = limits;
  let items: { readonly item: T; readonly size: number }[] = [];
  let bytes = 0;
  let full = false;
  let end: "open" | "done" | Error = "open";
  let wake = (): void => undefined;

  const read = async function* (): AsyncGenerator<T, void> {
    for (;;) {
      const first = items.shift();
      if (first) {
        bytes -= first.size;
        if (full && items.length <= bufferedMessages / 2 && bytes <= bufferedBytes / 2) {
          full = false;
          drained();
        }
        yield first.item;
      } else if (end === "done") return;
      else if (end !== "open") throw end;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  const generator = read();
  for (const how of ["return", "throw"] as const) {
    const finish = generator[how].bind(generator);
    // A generator that waits would finish only when it was woken.
    generator[how] = (value: unknown) => {
      items = [];
      inbox.end();
      return finish(value);
    };
  }
  const inbox: Inbox<T> = {
    get full() {
      return full;
    },
    push(item, size) {
      items.push({ item, size });
      bytes += size;
      full ||= items.length >= bufferedMessages || bytes >= bufferedBytes;
      wake();
    },
    end(error) {
      if (end !== "open") return;
      end = error ?? "done";
      wake();
      ended();
    },
    iterator: generator,
  };
  return inbox;
}
