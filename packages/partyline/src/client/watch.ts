import { PartylineError } from "../protocol/partyline-error.ts";
import { connectionLost, silence } from "./errors.ts";
import type { LinkHost, LinkRequest, LinkTiming } from "./link.ts";

/** The life of a link: it ends once, and by itself where nothing is heard any more. */
export interface Watch {
  /** Bytes came. */
  readonly heard: () => void;
  /** What was asked last has been answered. */
  readonly answered: () => void;
  /** Asks now, and gives a short time to answer. */
  readonly probe: () => void;
  /**
   * Ends the link and tells why; what is no PartylineError is the cause of a lost connection.
   *
   * @param told Did the other end say that it ends?
   */
  fail(cause: unknown, told?: boolean): void;
  /** Ends the link. */
  stop(): void;
  readonly over: boolean;
}

/** What of a request for a link is to be watched. */
type WatchRequest = LinkTiming &
  Pick<LinkRequest, "runtime"> & { readonly host: Pick<LinkHost, "end" | "alive"> };

/** An answer to a probe: something has happened, so there is no reason for patience. */
const PROBE_TIMEOUT = 2000;

/**
 * Asks after `pingInterval` of silence and gives up `pongTimeout` later. One timer that is set when it fires, not
 * with each message; a timer that fires early, late or on the exact moment finds the same.
 *
 * Whatever is heard ends a doubt that came from silence. A probe is ended by its answer alone, because after a sleep
 * bytes come that have waited since before it; they only give it more time.
 *
 * @param ask Returns the time that the answer may take beside the usual, in milliseconds.
 * @param ended Called once, when the link ends.
 */
export function createWatch(
  { host, runtime, pingInterval, pongTimeout }: WatchRequest,
  ask: () => number,
  ended: () => void,
): Watch {
  let heardAt = runtime.now();
  /** When it was asked; `undefined` while there is no doubt. */
  let askedAt: number | undefined;
  let patience = pongTimeout;
  let probing = false;
  let overslept = false;
  let over = false;
  let stopTimer = (): void => undefined;

  const check = (): void => {
    const now = runtime.now();
    const due = askedAt === undefined ? heardAt + pingInterval : askedAt + patience;
    if (now < due) wait(due - now);
    else if (askedAt === undefined) doubt(pongTimeout);
    else if (now < due + patience || overslept) watch.fail(silence());
    else {
      // As in a hidden tab or after a sleep: the answer may wait in the same queue as this call.
      doubt(patience);
      overslept = true;
    }
  };
  const wait = (ms: number): void => {
    stopTimer();
    stopTimer = runtime.after(ms, check);
  };
  const doubt = (within: number): void => {
    askedAt = runtime.now();
    // Answered at once, it is asked again after the next silence, which may be shorter than the patience.
    wait(Math.min(within, pingInterval));
    patience = within + ask();
  };

  const watch: Watch = {
    get over() {
      return over;
    },
    heard() {
      heardAt = runtime.now();
      askedAt = probing ? heardAt : undefined;
      overslept = false;
    },
    answered() {
      if (probing) host.alive();
      probing = false;
      watch.heard();
    },
    probe() {
      if (probing) return;
      probing = true;
      doubt(Math.min(PROBE_TIMEOUT, pongTimeout));
    },
    fail(cause, told) {
      if (over) return;
      watch.stop();
      const error = cause instanceof PartylineError ? cause : connectionLost("The connection failed.", cause);
      const isQuiet = !told && !overslept && error.code === "offline";
      host.end(error, isQuiet ? (askedAt ?? runtime.now()) - heardAt : undefined);
    },
    stop() {
      over = true;
      stopTimer();
      ended();
    },
  };
  wait(pingInterval);
  return watch;
}
