import { createProgress, type ProgressOutput } from "../progress.ts";

/** Between two looks at how many are left, ms. */
const LOOK = 250;

/** What can be drained: a server, or the workers that are one. */
export interface Drained {
  drain(plan: { readonly within: number }): Promise<void>;
  connections(): number | Promise<number>;
}

/** Lets the clients go, and tells how many are left. */
export async function drainServer(server: Drained, within: number, output: ProgressOutput): Promise<void> {
  const total = await server.connections();
  if (total > 0)
    output.write(`${connections(total)} to be let go within ${within / 1_000} s; a second signal ends it\n`);
  const progress = createProgress(output, () => performance.now(), total);
  const timer = setInterval(() => {
    // Who can't be asked any more has nobody left.
    void Promise.resolve(server.connections()).then((left) =>
      progress.update(Math.max(0, total - left), `${left} left`),
    );
  }, LOOK);
  try {
    await server.drain({ within });
  } finally {
    clearInterval(timer);
    progress.clear();
  }
}

function connections(count: number): string {
  return count === 1 ? "1 connection" : `${count} connections`;
}
