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

/** An outbox whose sending is recorded, and whose backoffs end when told to. */
export function createOutboxRig(keep: Keep = "history", window?: number) {
  const sent: Sent[] = [];
  const outcomes = new Map<string, Outcome>();
  let connection = 0;
  let backoff: (() => void) | undefined;
  const outbox: Outbox<Unsettled> = createOutbox<Unsettled>(
    {
      keep: () => keep,
      send: (publish, attempt, first) => void sent.push({ publish, attempt, first, connection }),
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
    publish(id: string, key = ""): void {
      outbox.publish({ id, key, attempt: 0, moved: false, refusals: 0 });
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
