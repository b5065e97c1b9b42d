import type { Keep } from "../protocol/message.ts";
import { PartylineError } from "../protocol/partyline-error.ts";
import { createOutbox, type Outbox, type Outcome, type Unsettled } from "../client/outbox.ts";

/** One attempt as it left. */
export interface Sent {
  readonly publish: Unsettled;
  readonly attempt: number;
  readonly first: boolean;
  readonly connection: number;
}

/**
 * An outbox whose sending is recorded, and whose backoffs end when told to.
 *
 * @param leavesAtOnce As over a WebSocket; over HTTP what is sent may wait before it leaves.
 */
export function createOutboxRig(keep: Keep = "history", window?: number, leavesAtOnce = true) {
  const sent: Sent[] = [];
  const outcomes = new Map<string, Outcome>();
  let connection = 0;
  let backoff: (() => void) | undefined;
  let now = 0;
  const outbox: Outbox<Unsettled> = createOutbox<Unsettled>(
    {
      keep: () => keep,
      date: () => now,
      send(publish, attempt, first) {
        const attempted = { publish, attempt, first, connection };
        sent.push(attempted);
        if (leavesAtOnce) outbox.leaves(publish, attempt);
      },
      settle: (publish, outcome) => void outcomes.set(publish.id, outcome),
      afterBackoff(_refusals, _error, run) {
        backoff = () => {
          backoff = undefined;
          run();
        };
        return () => (backoff = undefined);
      },
    },
    window,
  );
  return {
    outbox,
    sent,
    outcomes,
    publish(id: string, key = "", until = Infinity): void {
      outbox.publish({ id, key, attempts: 0, state: "waiting", refusals: 0, doubts: 0, until });
    },
    connect(): void {
      connection++;
      outbox.connected();
    },
    answer(index: number, answer: NonNullable<Outcome>): void {
      const { publish, attempt } = sent[index] as Sent;
      outbox.answered(publish, attempt, answer);
    },
    endBackoff: (): void => backoff?.(),
    /** The attempt leaves, if it may: over HTTP that is later than it was sent. */
    leave: ({ publish, attempt }: Sent): boolean => outbox.leaves(publish, attempt),
    /** Lets time pass; `asleep`, no timer tells of it. */
    wait(ms: number, asleep = false): void {
      now += ms;
      if (asleep) return;
      for (const publish of [...outbox.unsettled]) if (publish.until <= now) outbox.expire(publish);
    },
    get now() {
      return now;
    },
    /** What was sent since the last call: `id`, with `!` where it was marked first. */
    take: (): string[] => sent.splice(0).map(({ publish, first }) => `${publish.id}${first ? "!" : ""}`),
  };
}

/** The answer to what was stored. */
export const stored = (offset: number): NonNullable<Outcome> => ({
  position: `e:${offset}`,
  duplicate: false,
});
/** The answer to what was refused. */
export const refusal = (code: ConstructorParameters<typeof PartylineError>[0]): PartylineError =>
  new PartylineError(code, "no");
