/** Listeners by event; a listener that throws stops neither the others nor the client. */
export interface Emitter<Events extends object> {
  /** Adds a listener; the returned function removes it. */
  on<E extends keyof Events>(event: E, listener: (value: Events[E]) => void): () => void;
  emit<E extends keyof Events>(event: E, value: Events[E]): void;
  count(event: keyof Events): number;
  clear(): void;
}

/** @param report Gets what a listener throws. */
export function createEmitter<Events extends object>(report: (error: unknown) => void): Emitter<Events> {
  // Each `on` is an entry of its own: the same function added twice is called twice and removed one by one.
  const listeners = new Map<keyof Events, Set<{ readonly call: (value: never) => void }>>();
  return {
    on(event, listener) {
      const entry = { call: listener };
      const set = listeners.get(event) ?? new Set();
      listeners.set(event, set.add(entry));
      return () => void set.delete(entry);
    },
    emit(event, value) {
      for (const { call } of [...(listeners.get(event) ?? [])]) {
        try {
          call(value as never);
        } catch (error) {
          report(error);
        }
      }
    },
    count: (event) => listeners.get(event)?.size ?? 0,
    clear: () => listeners.clear(),
  };
}
