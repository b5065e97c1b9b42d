import type { MaybePromise } from "../core/ports.ts";

/**
 * Goes on with a value that may be there already: what can be answered at once is, without a turn through a
 * microtask. `then` is not guarded: it takes care of its own failures.
 */
export function whenDone<T>(
  ask: () => MaybePromise<T>,
  then: (value: T) => void,
  failed: (error: unknown) => void,
): void {
  let value: MaybePromise<T>;
  try {
    value = ask();
  } catch (error) {
    return failed(error);
  }
  if (value instanceof Promise) value.then(then, failed);
  else then(value);
}
