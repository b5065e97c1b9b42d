import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { deferred } from "../../transport/probe.ts";
import type { WorkersLine, WorkersOrders } from "./messages.ts";

type Line<Is extends WorkersLine["is"]> = Extract<WorkersLine, { is: Is }>;

/** A program with workers, and what it says. */
export interface WorkersProcess extends AsyncDisposable {
  /** The next worker that has begun to serve, the first ones included. */
  worker(): Promise<Line<"worker">>;
  /** Resolves when all serve. */
  ready(): Promise<unknown>;
  report(): Promise<Line<"report">>;
  kill(signal: "SIGTERM" | "SIGKILL"): void;
  readonly ended: Promise<{ readonly code: number | null; readonly stderr: string }>;
}

export function startWorkers(orders: WorkersOrders): WorkersProcess {
  const child = spawn(process.execPath, [join(import.meta.dirname, "child.ts"), JSON.stringify(orders)]);
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  child.stdin.on("error", () => undefined);
  const lines: WorkersLine[] = [];
  let wake = deferred<void>();
  createInterface(child.stdout).on("line", (text) => {
    lines.push(JSON.parse(text) as WorkersLine);
    wake.resolve();
    wake = deferred<void>();
  });
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, stderr }));
  const next = async <Is extends WorkersLine["is"]>(is: Is): Promise<Line<Is>> => {
    for (;;) {
      const index = lines.findIndex((line) => line.is === is);
      if (index >= 0) return lines.splice(index, 1)[0] as Line<Is>;
      const over = await Promise.race([wake.promise, ended]);
      if (over) throw new Error(`It has ended:\n${over.stderr}`);
    }
  };
  return {
    worker: () => next("worker"),
    ready: () => next("ready"),
    report() {
      child.stdin.write("report\n");
      return next("report");
    },
    kill: (signal) => void child.kill(signal),
    ended,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** Resolves when there is no such process. */
export async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}
