import { PartylineError } from "../../protocol/partyline-error.ts";
import { type BackoffOptions, backoffDelay } from "../backoff.ts";
import type { Runtime } from "../runtime.ts";

/** Asks for something again and again until it is told that it was good; one request at a time. */
export interface Loader {
  /** Asks now; the answer to an earlier request no longer counts. */
  start(): void;
  /** The last answer was no good: asks again after a backoff that grows with each. */
  again(): void;
  /** The last answer was good. */
  succeeded(): void;
  stop(): void;
}

/** What a loader does; times in ms. */
export interface LoaderPort<A> extends BackoffOptions {
  readonly loadTimeout: number;
  readonly ask: (signal: AbortSignal) => A | Promise<A>;
  readonly answered: (answer: A) => void;
  readonly failed: (cause: unknown) => void;
}

export function createLoader<A>(runtime: Pick<Runtime, "after" | "random">, port: LoaderPort<A>): Loader {
  let failures = 0;
  let stop = (): void => undefined;

  const start = (): void => {
    stop();
    const asking = new AbortController();
    const { signal } = asking;
    const stopTimer = runtime.after(port.loadTimeout, () => {
      stop();
      port.failed(
        new PartylineError("expired", `The snapshot took more than ${port.loadTimeout} ms.`, {
          remedy: "It is loaded again by itself; see loadTimeout.",
        }),
      );
    });
    stop = () => {
      stopTimer();
      asking.abort();
    };
    const once =
      <V>(tell: (value: V) => void) =>
      (value: V): void => {
        if (signal.aborted) return;
        stop();
        tell(value);
      };
    // What `ask` throws at once is a failure like any other.
    Promise.resolve(signal).then(port.ask).then(once(port.answered), once(port.failed));
  };

  return {
    start,
    again() {
      stop();
      stop = runtime.after(
        backoffDelay(failures++, port, () => runtime.random()),
        start,
      );
    },
    succeeded() {
      failures = 0;
    },
    stop: () => stop(),
  };
}
