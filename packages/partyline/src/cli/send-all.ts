/** Publishes that may be unsettled at once. */
const IN_FLIGHT = 256;

/** How {@link sendAll} is told about. */
export interface SendAllOptions<T> {
  /** Starts one publish; the client keeps their order. */
  readonly publish: (item: T) => Promise<unknown>;
  /** So many are stored; `item` is the one last stored. */
  readonly stored?: (count: number, item: T) => void;
  /** @default 256 */
  readonly inFlight?: number;
}

/**
 * Publishes all items in order, a bounded number of them at once, and resolves with their number when every one of
 * them is acknowledged. After the first refusal, or an error of the items themselves, nothing more is started; that error
 * is thrown when the rest has settled.
 */
export async function sendAll<T>(
  items: AsyncIterable<T> | Iterable<T>,
  { publish, stored, inFlight = IN_FLIGHT }: SendAllOptions<T>,
): Promise<number> {
  const open = new Set<Promise<void>>();
  let count = 0;
  let failure: { readonly error: unknown } | undefined;

  const start = async (item: T): Promise<void> => {
    try {
      await publish(item);
      count += 1;
      stored?.(count, item);
    } catch (error) {
      failure ??= { error };
    }
  };

  try {
    for await (const item of items) {
      if (failure) break;
      const started: Promise<void> = start(item).finally(() => open.delete(started));
      open.add(started);
      while (open.size >= inFlight) await Promise.race(open);
    }
  } catch (error) {
    failure ??= { error };
  }
  await Promise.all(open);
  if (failure) throw failure.error;
  return count;
}
