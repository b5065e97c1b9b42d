import type { Keep } from "../protocol/message.ts";
import { PartylineError } from "../protocol/partyline-error.ts";
import type { PendingState } from "./channel-types.ts";

/** One publish or delete that has not been settled: whether it is stored is not known yet. */
export interface Unsettled {
  readonly id: string;
  readonly key: string;
  /** Counts the times it was sent; 0 is never. An answer names the attempt it is for. */
  attempts: number;
  state: PendingState;
  /** Refusals that left hope. */
  refusals: number;
  /** Number of those that were `uncertain`. */
  doubts: number;
  /** When it is given up, by the clock of `OutboxPort.date`; `Infinity` for never. */
  readonly until: number;
}

/** What becomes of a publish. `undefined`: a newer value of its key took its place before it was ever sent. */
export type Outcome = { readonly position: string; readonly duplicate: boolean } | PartylineError | undefined;

/** What an outbox needs of the world. */
export interface OutboxPort<P extends Unsettled> {
  /** Sends one attempt on the present connection; its answer goes to `answered`, late ones too. */
  send(publish: P, attempt: number, first: boolean): void;
  settle(publish: P, outcome: Outcome): void;
  /** Calls once after the time that is due after so many refusals; the returned function calls it off. */
  afterBackoff(refusals: number, error: PartylineError, run: () => void): () => void;
  keep(): Keep;
  date(): number;
}

/**
 * The unsettled publishes of one channel, in order. After each change of connection all are sent again, oldest
 * first; ids make that safe, and order makes that nothing is overtaken.
 *
 *        connected()                    refused, with hope
 *   closed ─────────▶ open ◀──────────────────────────────▶ held
 *      ▲                │        after the backoff            │
 *      └────────────────┴──────── disconnected() ◀────────────┘
 */
export interface Outbox<P extends Unsettled> {
  /** Oldest first. */
  readonly unsettled: readonly P[];
  publish(publish: P): void;
  /** A connection on which nothing was published yet is there. */
  readonly connected: () => void;
  readonly disconnected: () => void;
  /** An attempt is about to leave: may it, or is another one to take its place? */
  leaves(publish: P, attempt: number): boolean;
  /** The answer to an attempt, on whichever connection: stored, or refused. */
  answered(publish: P, attempt: number, answer: NonNullable<Outcome>): void;
  /** Gives up one whose time is over. */
  expire(publish: P): void;
  /** Settles all that is left. */
  close(error: PartylineError): void;
}

/** Attempts of a channel that wait for their answers; what is more waits unsent, in the same order. */
const WINDOW = 512;

/** An `uncertain` that stays is too old for the server to know its id: it never will. */
const MAX_UNCERTAIN = 3;

export function createOutbox<P extends Unsettled>(port: OutboxPort<P>, window: number = WINDOW): Outbox<P> {
  const queue: P[] = [];
  let gate: "closed" | "open" | "held" = "closed";
  /** Those before this index have been sent since the connection began or the last hold ended. */
  let next = 0;
  /** The server answers `again` until it sees an attempt marked first. */
  let markFirst = false;
  let stopHold = (): void => undefined;

  const pump = (): void => {
    while (gate === "open" && next < Math.min(queue.length, window)) {
      const publish = queue[next++] as P;
      const first = markFirst;
      markFirst = false;
      port.send(publish, ++publish.attempts, first);
    }
  };
  const sendAll = (first: boolean): void => {
    // After a sleep the time may be over of some of which no timer has told.
    for (const publish of [...queue]) if (publish.until <= port.date()) giveUp(publish);
    next = 0;
    markFirst = first;
    pump();
  };
  const settle = (publish: P, outcome: Outcome): void => {
    const index = queue.indexOf(publish);
    if (index < 0) return;
    queue.splice(index, 1);
    if (index < next) next--;
    port.settle(publish, outcome);
  };
  const settleAll = (error: PartylineError): void => {
    for (const publish of [...queue]) settle(publish, error);
  };

  const isCurrent = (publish: P, attempt: number): boolean =>
    gate === "open" && attempt === publish.attempts && queue.includes(publish);
  /** What may be stored all the same ends as `uncertain`. */
  const giveUp = (publish: P, cause: PartylineError = expiredError()): void =>
    settle(
      publish,
      publish.state === "waiting" || cause.code === "uncertain"
        ? cause
        : new PartylineError("uncertain", "It may be stored.", {
            remedy: "Look for it.",
            cause,
          }),
    );

  const refused = (publish: P, error: PartylineError): void => {
    if (publish.state === "sent") publish.state = "waiting";
    // `again` of a publish that nothing before it holds up is not to be expected; it waits like other refusals.
    if (error.code === "uncertain") publish.doubts++;
    const hope = error.retryable && publish.doubts <= MAX_UNCERTAIN;
    if (hope && port.keep() !== "nothing") {
      gate = "held";
      stopHold = port.afterBackoff(++publish.refusals, error, () => {
        gate = "open";
        sendAll(true);
      });
      return;
    }
    giveUp(publish, error);
    sendAll(true);
  };

  return {
    unsettled: queue,
    publish(publish) {
      if (port.keep() === "latest") {
        // One that was sent once stays: sent again first, a late connection can't store it behind the newer one.
        const older = queue.find(({ key, attempts }) => key === publish.key && attempts === 0);
        if (older) settle(older, undefined);
      }
      queue.push(publish);
      pump();
    },
    connected() {
      for (const publish of queue) if (publish.state === "sent") publish.state = "uncertain";
      if (gate === "closed") gate = "open";
      sendAll(false);
    },
    disconnected() {
      stopHold();
      gate = "closed";
      if (port.keep() === "nothing") settleAll(offlineError());
    },
    leaves(publish, attempt) {
      const may = isCurrent(publish, attempt);
      if (may && publish.state === "waiting") publish.state = "sent";
      return may;
    },
    answered(publish, attempt, answer) {
      if (answer instanceof PartylineError) {
        // `offline`: the request failed, which does not tell what the server did with it.
        if (answer.code === "uncertain" || answer.code === "offline") publish.state = "uncertain";
        // Only the answer to the newest attempt can make the client send again.
        if (isCurrent(publish, attempt)) refused(publish, answer);
      } else {
        settle(publish, answer);
        pump();
      }
    },
    expire(publish) {
      giveUp(publish);
      pump();
    },
    close(error) {
      stopHold();
      gate = "closed";
      settleAll(error);
    },
  };
}

function expiredError(): PartylineError {
  return new PartylineError("expired", "Its time is over.", { remedy: "Publish again." });
}

/** Told where a message of a `nothing` channel meets no connection. */
export function offlineError(): PartylineError {
  return new PartylineError("offline", "Not connected.", {
    remedy: "Publish again when live.",
  });
}
