import type { Broker, MaybePromise } from "../../src/core/ports.ts";
import { PartylineError } from "../../src/protocol/errors.ts";

/** What a broker may do instead of storing; the next appends to a channel, one each. */
export type Trouble =
  | { readonly is: "refuse"; readonly code: "overloaded" | "invalid" }
  /** It does not answer; what it was asked it has done, or not. */
  | { readonly is: "doubt"; readonly stored: boolean };

/** A broker that has the trouble that a test makes. */
export interface TroubledBroker {
  readonly broker: Broker;
  readonly add: (channel: string, times: number, trouble: Trouble) => void;
}

export function createTroubledBroker(good: Broker): TroubledBroker {
  const troubles = new Map<string, Trouble[]>();
  return {
    broker: {
      capabilities: good.capabilities,
      read: (...args) => good.read(...args),
      subscribe: (...args) => good.subscribe(...args),
      heads: (...args) => good.heads(...args),
      time: () => good.time(),
      close: () => good.close(),
      append(spec, messages): ReturnType<Broker["append"]> {
        const trouble = troubles.get(spec.name)?.shift();
        if (!trouble) return good.append(spec, messages);
        if (trouble.is === "refuse") {
          // From the middle of a batch: what comes before it must be stored, what comes behind must not overtake it.
          const index = Math.floor(messages.length / 2);
          return { is: "refused", index, error: new PartylineError(trouble.code, "The test wants it so.") };
        }
        const fail = (): never => {
          throw new Error("The test wants no answer.");
        };
        const done: MaybePromise<unknown> = trouble.stored ? good.append(spec, messages) : undefined;
        return done instanceof Promise ? done.then(fail) : fail();
      },
    },
    add(channel, times, trouble) {
      const waiting = troubles.get(channel) ?? [];
      for (let count = 0; count < times; count++) waiting.push(trouble);
      troubles.set(channel, waiting);
    },
  };
}
