import { fork, type ForkOptions } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { Inbox } from "../transport/probe.ts";

/** A program of the tests in a process of its own, which says and is told messages. */
export interface Child extends AsyncDisposable {
  /** What it says next; rejects where it has ended instead. */
  next<Message>(): Promise<Message>;
  tell(message: object | string): void;
  /** What it says next is taken for the answer. */
  ask<Answer>(question: object | string): Promise<Answer>;
  signal(signal: "SIGSTOP" | "SIGCONT" | "SIGTERM"): void;
  /** Resolves with its exit code, where it has one. */
  readonly ended: Promise<number | null>;
}

/** Starts the program `child.ts` of a folder beside this file. It ends with the test's process. */
export function startChild(
  folder: string,
  args: readonly string[] = [],
  options: Pick<ForkOptions, "execArgv"> = {},
): Child {
  const forked = fork(join(import.meta.dirname, folder, "child.ts"), args, {
    ...options,
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const said = new Inbox<unknown>();
  forked.on("message", (message) => said.push(message));
  // After its last message.
  const ended = once(forked, "close").then(([code]) => code as number | null);
  const over = async (): Promise<never> => {
    await ended;
    throw new Error(`The process of ${folder} has ended.`);
  };
  const child: Child = {
    next: async <Message>() => (await Promise.race([said.next(), over()])) as Message,
    // That the process has ended is for `next` and `ended` to say.
    tell: (message) => void forked.send(message, () => undefined),
    ask(question) {
      child.tell(question);
      return child.next();
    },
    signal: (signal) => void forked.kill(signal),
    ended,
    async [Symbol.asyncDispose]() {
      forked.kill("SIGKILL");
      await ended;
    },
  };
  return child;
}
