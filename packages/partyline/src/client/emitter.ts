/** Listeners by event; a listener that throws stops neither the others nor the client. */
export interface Emitter<Events extends object> {
  /** Adds a listener; the returned function removes it. */
  readonly on: <E extends keyof Events>(event: E, listener: (value: Events[E]) => void) => () => void;
  emit<E extends keyof Events>(event: E, value: Events[E]): void;
  has(event: keyof Events): boolean;
}

/** @param report Gets what a listener throws. */
export function createEmitter<Events extends object>(report: (error: unknown) => void): Emitter<Events> {
  // Each `on` is an entry of its own: the same function added twice is called twice and removed one by one.
  let entries: readonly { readonly event: keyof Events; readonly listener: (value: never) => void }[] = [];
  return {
    on(event, listener) {
      const added = { event, listener };
      entries = [...entries, added];
      return () => void (entries = entries.filter((entry) => entry !== added));
    },
    emit(event, value) {
      for (const entry of entries) {
        if (entry.event !== event) continue;
        try {
          entry.listener(value as never);
        } catch (error) {
          report(error);
        }
      }
    },
    has: (event) => entries.some((entry) => entry.event === event),
  };
}
