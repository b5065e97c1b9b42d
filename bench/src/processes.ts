import { fork, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";

/** Servers on one core and load on another, where the system can do that and has two. */
const canPin = availableParallelism() > 1 && spawnSync("taskset", ["--version"]).status === 0;

export const CORES = { server: 0, load: 1 } as const;

/** Where everything ran, in one sentence. */
export const placement: string = canPin
  ? `Servers pinned to core ${CORES.server}, load to core ${CORES.load} (taskset).`
  : "Nothing was pinned to a core.";

/** Keeps a process, and what it starts, on one core. */
export function pin(pid: number, core: keyof typeof CORES): void {
  if (canPin) spawnSync("taskset", ["-a", "-p", "-c", String(CORES[core]), String(pid)]);
}

/** A program of this folder in a process of its own. */
export interface Child extends AsyncDisposable {
  readonly pid: number;
  /** Its next message. */
  next(): Promise<unknown>;
  tell(message: object): void;
  signal(signal: "SIGSTOP" | "SIGCONT"): void;
}

export function start(script: string, core: keyof typeof CORES, args: readonly string[] = []): Child {
  const forked = fork(join(import.meta.dirname, script), args, {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const pid = forked.pid ?? 0;
  pin(pid, core);
  const inbox: unknown[] = [];
  let wake = (): void => undefined;
  forked.on("message", (message) => {
    inbox.push(message);
    wake();
  });
  forked.on("exit", () => wake());
  return {
    pid,
    async next() {
      while (inbox.length === 0) {
        if (forked.exitCode !== null || forked.signalCode !== null) throw new Error(`${script} has ended.`);
        await new Promise<void>((resolve) => (wake = resolve));
      }
      return inbox.shift();
    },
    tell: (message) => void forked.send(message),
    signal: (signal) => void forked.kill(signal),
    async [Symbol.asyncDispose]() {
      if (forked.exitCode !== null || forked.signalCode !== null) return;
      const ended = new Promise((resolve) => forked.once("exit", resolve));
      forked.kill("SIGKILL");
      await ended;
    },
  };
}

/** Memory that a process has of the system, MB. */
export function residentMegabytes(pid: number): number {
  try {
    const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return (Number(kilobytes) * 1_024) / 1e6;
  } catch {
    const { stdout } = spawnSync("ps", ["-o", "rss=", "-p", String(pid)]);
    return (Number(stdout.toString()) * 1_024) / 1e6;
  }
}
