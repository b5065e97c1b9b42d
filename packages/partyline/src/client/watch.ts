import type { LinkTiming } from "./link.ts";
import type { Runtime } from "./runtime.ts";

/** Notices that nothing is heard any more. */
export interface Watch {
  /** Bytes came. */
  heard(): void;
  /** Asks now, and gives a short time to answer. */
  probe(): void;
  stop(): void;
}

/** What a {@link Watch} does when it is quiet. */
export interface WatchActions {
  ask(): unknown;
  silent(): void;
}

/** An answer to a probe: the network is said to have changed, so there is no reason for patience. */
const PROBE_TIMEOUT = 2000;

/**
 * Asks after `pingInterval` of silence and gives up `pongTimeout` later. One timer that is set when it fires, not
 * with each message; a timer that fires early, late or on the exact moment finds the same.
 */
export function createWatch(runtime: Runtime, timing: LinkTiming, actions: WatchActions): Watch {
  let heardAt = runtime.now();
  /** When it was asked; `undefined` while there is no doubt. */
  let askedAt: number | undefined;
  let patience = timing.pongTimeout;
  let overslept = false;
  let stopTimer = (): void => undefined;

  const check = (): void => {
    const now = runtime.now();
    const due = askedAt === undefined ? heardAt + timing.pingInterval : askedAt + patience;
    if (now < due) wait(due - now);
    else if (askedAt === undefined) ask(timing.pongTimeout);
    else if (now < due + patience || overslept) actions.silent();
    else {
      // As in a hidden tab or after a sleep: the answer may wait in the same queue as this call.
      ask(patience);
      overslept = true;
    }
  };
  const wait = (ms: number): void => {
    stopTimer();
    stopTimer = runtime.after(ms, check);
  };
  const ask = (within: number): void => {
    askedAt = runtime.now();
    patience = within;
    wait(within);
    actions.ask();
  };

  wait(timing.pingInterval);
  return {
    heard() {
      heardAt = runtime.now();
      askedAt = undefined;
      overslept = false;
    },
    probe: () => ask(Math.min(PROBE_TIMEOUT, timing.pongTimeout)),
    stop: () => stopTimer(),
  };
}
