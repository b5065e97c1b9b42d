import type { Keep } from "../protocol/message.ts";
import { type ErrorCode, PartylineError } from "../protocol/partyline-error.ts";

/** One publish or delete that has not been settled: whether it is stored is not known yet. */
export interface Unsettled {
  readonly id: string;
  readonly key: string | undefined;
  /** Counts the times it was sent; 0 is never. An answer names the attempt it is for. */
  attempt: number;
  /** The connection of the first attempt. */
  firstConnection: number | undefined;
  /** Refusals that left hope, since it was published. */
  refusals: number;
  /** Those of them that were `uncertain`. */
  uncertain: number;
}

/** What a server answers to one attempt. */
export type PublishAnswer =
  | { readonly position: string; readonly duplicate: boolean }
  | { readonly code: ErrorCode; readonly error: PartylineError };

/** How a publish ended. `superseded`: a newer value of the same key took its place before it was ever sent. */
export type Outcome =
  | { readonly t: "stored"; readonly position: string; readonly duplicate: boolean }
  | { readonly t: "refused"; readonly error: PartylineError }
  | { readonly t: "superseded" };

/** What an outbox needs of the world. */
export interface OutboxPort<P extends Unsettled> {
  /** Sends one attempt on the present connection. May answer by `answered` later, also for older connections. */
  send(publish: P, attempt: number, first: boolean): void;
  settle(publish: P, outcome: Outcome): void;
  /** Calls once after the time that is due after so many refusals; the returned function calls it off. */
  afterBackoff(refusals: number, retryAfter: number | undefined, run: () => void): () => void;
  keep(): Keep;
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
  readonly unsettled: readonly P[];
  publish(publish: P): void;
  /** A connection on which nothing was published yet is there; `connection` grows with each. */
  connected(connection: number): void;
  disconnected(): void;
  answered(publish: P, attempt: number, connection: number, answer: PublishAnswer): void;
  /** Settles all that is left, and takes no more. */
  close(error: PartylineError): void;
}

/** Attempts of a channel that wait for their answers; what is more waits unsent, in the same order. */
const WINDOW = 512;

/** An `uncertain` that stays is too old for the server to know its id: it never will. */
const MAX_UNCERTAIN = 3;

export function createOutbox<P extends Unsettled>(port: OutboxPort<P>): Outbox<P> {
  const queue: P[] = [];
  let gate: "closed" | "open" | "held" = "closed";
  let connection = 0;
  /** Those before this index have been sent since the connection began or the last hold ended. */
  let next = 0;
  /** The server answers `again` until it sees an attempt marked first. */
  let markFirst = false;
  let stopHold = (): void => undefined;

  const pump = (): void => {
    while (gate === "open" && next < Math.min(queue.length, WINDOW)) {
      const publish = queue[next++] as P;
      publish.attempt++;
      publish.firstConnection ??= connection;
      const first = markFirst;
      markFirst = false;
      port.send(publish, publish.attempt, first);
    }
  };
  const sendAllAgain = (): void => {
    next = 0;
    markFirst = true;
    pump();
  };
  const hold = (refusals: number, retryAfter: number | undefined): void => {
    gate = "held";
    stopHold = port.afterBackoff(refusals, retryAfter, () => {
      gate = "open";
      sendAllAgain();
    });
  };
  const settle = (publish: P, outcome: Outcome): boolean => {
    const index = queue.indexOf(publish);
    if (index < 0) return false;
    queue.splice(index, 1);
    if (index < next) next--;
    port.settle(publish, outcome);
    return true;
  };

  const refused = (publish: P, code: ErrorCode, error: PartylineError): void => {
    // Answered `again`, it was not looked at: the publish before it is what was refused, and that has had its answer
    // by now. A server that says so nevertheless is not to be asked in a tight loop.
    const hope =
      code === "again" || (code === "uncertain" ? publish.uncertain++ < MAX_UNCERTAIN : error.retryable);
    if (hope && port.keep() !== "nothing") {
      publish.refusals++;
      hold(publish.refusals, error.retryAfter);
      return;
    }
    const elsewhere = publish.firstConnection !== connection && code !== "uncertain";
    const refusal = elsewhere
      ? new PartylineError(
          "uncertain",
          "An earlier attempt may have been stored; the last one was refused.",
          {
            remedy: "Look whether the message is in the channel; the refusal is the cause.",
            cause: error,
          },
        )
      : error;
    settle(publish, { t: "refused", error: refusal });
    sendAllAgain();
  };

  return {
    unsettled: queue,
    publish(publish) {
      if (port.keep() === "latest") {
        // One that was sent once stays: sent again first, it can't be stored behind the newer one by a late connection.
        const older = queue.find((other) => other.key === publish.key && other.attempt === 0);
        if (older) settle(older, { t: "superseded" });
      }
      queue.push(publish);
      pump();
    },
    connected(number) {
      connection = number;
      next = 0;
      markFirst = false;
      if (gate === "closed") gate = "open";
      pump();
    },
    disconnected() {
      stopHold();
      gate = "closed";
      next = 0;
      if (port.keep() !== "nothing") return;
      for (const publish of [...queue]) settle(publish, { t: "refused", error: offlineError() });
    },
    answered(publish, attempt, from, answer) {
      if ("position" in answer) {
        if (settle(publish, { t: "stored", ...answer })) pump();
        return;
      }
      // Only an answer to the latest attempt can make the client send again, and a connection's hold is its own.
      const latest = attempt === publish.attempt && from === connection && gate === "open";
      if (latest && queue.includes(publish)) refused(publish, answer.code, answer.error);
    },
    close(error) {
      stopHold();
      gate = "closed";
      for (const publish of [...queue]) settle(publish, { t: "refused", error });
    },
  };
}

/** Told where a message of a `nothing` channel meets no connection. */
export function offlineError(): PartylineError {
  return new PartylineError("offline", "There is no connection, and this channel's messages do not wait.", {
    remedy: "Publish again when the client is live, if it still matters.",
  });
}
