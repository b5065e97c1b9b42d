import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Answer, Ask } from "./messages.ts";

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
  const child = fork(join(import.meta.dirname, "child.ts"), {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const ended = once(child, "exit");
  const waiting = new Map<number, (path: string) => void>();
  let asked = 0;
  child.on("message", ({ n, path }: Answer) => {
    waiting.get(n)?.(path);
    waiting.delete(n);
  });
  const ask = (question: (n: number) => Ask): Promise<string> => {
    const n = ++asked;
    const answered = new Promise<string>((resolve) => waiting.set(n, resolve));
    child.send(question(n));
    const died = ended.then(() => Promise.reject(new Error("The broker's process has ended.")));
    return Promise.race([answered, died]);
  };
  return {
    open: (past = "") => ask((n) => ({ n, do: "open", past })),
    async advance(past, milliseconds) {
      await ask((n) => ({ n, do: "advance", past, milliseconds }));
    },
    async forget(past, channel) {
      await ask((n) => ({ n, do: "forget", past, channel }));
    },
    async [Symbol.asyncDispose]() {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}
