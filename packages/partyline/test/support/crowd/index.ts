import { startChild } from "../child.ts";

/** How many readers, and where. */
export interface Crowd {
  readonly port: number;
  readonly readers: number;
}

/** Up to which message all are waited for. */
export interface Ask {
  readonly number: number;
}

/** What one reader has had. */
export interface Account {
  readonly way: string;
  /** Number of the newest message. */
  readonly last: number;
  /** Messages that it was given. */
  readonly count: number;
  /** Messages that it was told to have missed. */
  readonly missed: number;
  /** What it should not have seen: a message out of order, or missing without a word. */
  readonly faults: readonly string[];
  /** Why the server closed it, where a gap ends it. */
  readonly closed: string | undefined;
}

/** Readers over all transports, by turns, in a process that can be stopped. */
export interface CrowdProcess extends AsyncDisposable {
  /** Resolves when each reader has the message of this number, or was closed for a gap. */
  reached(number: number): Promise<readonly Account[]>;
  stop(): void;
  goOn(): void;
}

/** Starts readers of the channel `a`, and waits until all are attached. */
export async function startCrowd(crowd: Crowd): Promise<CrowdProcess> {
  const child = startChild("crowd", [JSON.stringify(crowd)]);
  await child.next<"attached">();
  return {
    reached: (number) => child.ask({ number } satisfies Ask),
    stop: () => child.signal("SIGSTOP"),
    goOn: () => child.signal("SIGCONT"),
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}
