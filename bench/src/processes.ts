import { fork, spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";

/** Servers on one core and load on another, where the system can do that and has two. */
const canPin = availableParallelism() > 1 && spawnSync("taskset", ["--version"]).status === 0;

const CORES = { server: "0", load: "1", any: `0-${availableParallelism() - 1}` } as const;

/** Where everything ran, in one sentence. */
export const placement: string = canPin
  ? `Servers pinned to core ${CORES.server}, load to core ${CORES.load} (taskset).`
  : "Nothing was pinned to a core.";

/** Keeps a process, and what it starts, on one core. */
export function pin(pid: number, core: keyof typeof CORES): void {
  if (canPin) spawnSync("taskset", ["-a", "-p", "-c", CORES[core], String(pid)]);
}

/** A program of this folder in a process of its own. */
export interface Child extends AsyncDisposable {
  readonly pid: number;
  /** Its next message; at most so many ms from now. Default: one minute. */
  next<Message>(within?: number): Promise<Message>;
  tell(message: object): void;
  signal(signal: "SIGSTOP" | "SIGCONT"): void;
  /** Resolves when it has ended by itself. */
  ended(): Promise<void>;
}

export interface StartOptions {
  readonly args?: readonly string[];
  /** Options of Node. */
  readonly execArgv?: readonly string[];
  /** Another program that runs it. Default: this Node. */
  readonly execPath?: string;
}

/** Starts a script of this folder, pinned. */
export function start(script: string, core: keyof typeof CORES, options: StartOptions = {}): Child {
  const { args = [], execArgv = [], execPath = process.execPath } = options;
  const forked = fork(join(import.meta.dirname, script), args, {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    execArgv: [...execArgv],
    execPath,
  });
  const pid = forked.pid ?? 0;
  pin(pid, core);
  const inbox: unknown[] = [];
  let wake = (): void => undefined;
  forked.on("message", (message) => {
    inbox.push(message);
    wake();
  });
  const exit = new Promise<void>((resolve) => forked.once("exit", () => resolve()));
  void exit.then(() => wake());
  return {
    pid,
    async next<Message>(within = 60_000) {
      const deadline = setTimeout(() => wake(), within);
      const end = performance.now() + within;
      while (inbox.length === 0) {
        if (forked.exitCode !== null || forked.signalCode !== null) throw new Error(`${script} has ended.`);
        if (performance.now() >= end) throw new Error(`${script} said nothing for ${within / 1_000} s.`);
        await new Promise<void>((resolve) => (wake = resolve));
      }
      clearTimeout(deadline);
      return inbox.shift() as Message;
    },
    tell: (message) => void forked.send(message),
    signal: (signal) => void forked.kill(signal),
    ended: () => exit,
    async [Symbol.asyncDispose]() {
      if (forked.exitCode !== null || forked.signalCode !== null) return;
      forked.kill("SIGKILL");
      await exit;
    },
  };
}
