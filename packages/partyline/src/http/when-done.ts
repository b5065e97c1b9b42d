import type { MaybePromise } from "../core/ports.ts";

/**
 * Goes on with a value that may be there already: what can be answered at once is, without a turn through a
 * microtask. What `ask` or `then` throws is given to `failed`, and never leaves this function or its promise.
 */
export function whenDone<T>(
  ask: () => MaybePromise<T>,
  then: (value: T) => void,
  failed: (error: unknown) => void,
): void {
  try {
    const value = ask();
    if (value instanceof Promise) value.then(then).catch(failed);
    else then(value);
  } catch (error) {
    failed(error);
  }
}
