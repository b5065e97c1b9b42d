import { CliError, EXIT } from "./exit.ts";

/** How long closing may take after the first signal, ms. */
const PATIENCE = 4000;

/** Thrown where a signal ends what was under way; there is nothing to say about it. */
export class Interrupted extends CliError {
  constructor(exitCode: number) {
    super("Interrupted.", undefined, exitCode);
  }
}

/**
 * The first SIGINT or SIGTERM aborts the signal, whose reason is {@link Interrupted}; the second one, or four seconds,
 * end the process.
 *
 * @param atTerm Ms that are needed beside those four seconds after a SIGTERM.
 */
export function interruptSignal(atTerm: number = 0): AbortSignal {
  const controller = new AbortController();
  const on = (exitCode: number, patience: number) => (): void => {
    if (controller.signal.aborted) process.exit(exitCode);
    setTimeout(() => process.exit(exitCode), patience).unref();
    controller.abort(new Interrupted(exitCode));
  };
  process.on("SIGINT", on(EXIT.interrupted, PATIENCE));
  process.on("SIGTERM", on(EXIT.terminated, PATIENCE + atTerm));
  return controller.signal;
}

/** Rejects with the reason of the abort; never resolves. */
export function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const fail = (): void => reject(signal.reason as Error);
    if (signal.aborted) fail();
    else signal.addEventListener("abort", fail, { once: true });
  });
}
