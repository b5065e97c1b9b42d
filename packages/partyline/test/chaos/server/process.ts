import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { revive } from "../../support/flat-error.ts";
import type { Answer, Requests, ServerStart } from "./messages.ts";

/** A server that runs in a process of its own. */
export interface ServerProcess {
  readonly port: number;
  readonly ask: Requests;
  signal(signal: "SIGSTOP" | "SIGCONT"): void;
  /** Resolves when it is gone. What was asked and not answered rejects. */
  kill(): Promise<void>;
  readonly ended: Promise<void>;
}

/** Starts a server, and resolves when it listens. */
export async function startServerProcess(start: ServerStart): Promise<ServerProcess> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "child.ts"), JSON.stringify(start)], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    serialization: "advanced",
  });
  const ended = once(child, "close").then(() => undefined);
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  let requests = 0;

  const port = await new Promise<number>((resolve, reject) => {
    child.on("message", (answer: Answer) => {
      if (answer.is === "listening") {
        resolve(answer.port);
        return;
      }
      const asked = waiting.get(answer.n);
      waiting.delete(answer.n);
      if (answer.is === "answer") asked?.resolve(answer.value);
      else asked?.reject(revive(answer.error));
    });
    void ended.then(() => {
      reject(new Error("The server's process ended before it listened."));
      for (const { reject: refuse } of waiting.values()) refuse(new Error("The server's process is gone."));
      waiting.clear();
    });
  });

  const call =
    (method: keyof Requests) =>
    (...args: readonly unknown[]): Promise<never> =>
      new Promise((resolve, reject) => {
        if (!child.connected) throw new Error("The server's process is gone.");
        waiting.set(++requests, { resolve: resolve as (value: unknown) => void, reject });
        child.send({ n: requests, method, args }, (error) => error && reject(error));
      });
  const ask: Requests = {
    publish: call("publish"),
    jump: call("jump"),
    forget: call("forget"),
    trouble: call("trouble"),
    ends: call("ends"),
    close: call("close"),
    drain: call("drain"),
  };
  return {
    port,
    ask,
    ended,
    signal: (signal) => void child.kill(signal),
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
