/** Listeners by event; a listener that throws stops neither the others nor the client. */
export interface Emitter<Events extends object> {
  /**
   * Adds a listener; the returned function removes it, also if listeners are being called.
   *
   * @throws TypeError if the listener is not a function.
   */
  readonly on: <E extends keyof Events>(event: E, listener: (value: Events[E]) => void) => () => void;
  emit<E extends keyof Events>(event: E, value: Events[E]): void;
  has(event: keyof Events): boolean;
}

/** @param report Gets what a listener throws. */
export function createEmitter<Events extends object>(report: (error: unknown) => void): Emitter<Events> {
  // Each `on` is an entry of its own: the same function added twice is called twice and removed one by one.
  const entries: { [E in keyof Events]?: readonly { readonly listener: (value: Events[E]) => void }[] } = {};
  return {
    on(event, listener) {
      if (typeof listener !== "function")
        throw new TypeError(`${String(event)}: the listener is not a function.`);
      const added = { listener };
      entries[event] = [...(entries[event] ?? []), added];
      return () => {
        // In case that listeners are being called.
        added.listener = () => undefined;
        entries[event] = entries[event]?.filter((entry) => entry !== added);
      };
    },
    emit(event, value) {
      for (const { listener } of entries[event] ?? []) {
        try {
          listener(value);
        } catch (error) {
          report(error);
        }
      }
    },
    has: (event) => !!entries[event]?.length,
  };
}
