import type { Partyline } from "../../server.ts";
import { createProgress, type ProgressOutput } from "../progress.ts";

/** Between two looks at how many are left, ms. */
const LOOK = 250;

/** Lets the clients of a server go, and tells how many are left. */
export async function drainServer(server: Partyline, within: number, output: ProgressOutput): Promise<void> {
  const total = server.connections;
  if (total > 0)
    output.write(`${connections(total)} to be let go within ${within / 1_000} s; a second signal ends it\n`);
  const progress = createProgress(output, () => performance.now(), total);
  const timer = setInterval(() => {
    const { connections: left } = server;
    progress.update(Math.max(0, total - left), `${left} left`);
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
