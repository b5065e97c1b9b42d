import { startChild } from "../child.ts";
import type { Ask } from "./messages.ts";

/**
 * Brokers whose pasts outlive the servers that use them.
 *
 * @example
 * ```ts
 * await using held = startBrokerProcess();
 * const path = await held.open();
 * const server = createPartyline({ broker: await connectBroker(path) }); // in this process or in another
 * await server.close(); // or SIGKILL
 * const next = createPartyline({ broker: await connectBroker(path) }); // goes on in the same epochs
 * ```
 */
export interface BrokerProcess extends AsyncDisposable {
  /**
   * The path of a broker, for `connectBroker`.
   *
   * @param past Each has channels and a clock of its own: who names another begins without one.
   */
  open(past?: string): Promise<string>;
  /** Moves the clock of a past, also backwards. */
  advance(past: string, milliseconds: number): Promise<void>;
  /** Ends the life of a channel's log. */
  forget(past: string, channel: string): Promise<void>;
}

/** Starts a process without brokers; it ends with this one at the latest. */
export function startBrokerProcess(): BrokerProcess {
  const child = startChild("broker-process");
  /** The answer is the path. */
  const ask = (question: Ask): Promise<string> => child.ask(question);
  return {
    open: (past = "") => ask({ do: "open", past }),
    async advance(past, milliseconds) {
      await ask({ do: "advance", past, milliseconds });
    },
    async forget(past, channel) {
      await ask({ do: "forget", past, channel });
    },
    async [Symbol.asyncDispose]() {
      child.signal("SIGTERM");
      await child.ended;
    },
  };
}
