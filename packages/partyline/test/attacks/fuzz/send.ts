import type { Attacker, Line } from "../peer.ts";
import type { Case } from "./case.ts";

/** How long a connection may stay open after its last byte was sent, in milliseconds: a stream never ends by itself. */
const PATIENCE = 150;

/** Sends a case on a connection of its own, and waits for the end of the connection. */
export async function send(attacker: Attacker, { kind, upgrade, pieces }: Case): Promise<void> {
  const line = await open(attacker, kind === "http2", upgrade);
  for (const piece of pieces) if (!(await Promise.race([line.send(piece), late(line)]))) break;
  line.socket.end();
  await Promise.race([line.closed, late(line)]);
  line.leave();
}

function open(attacker: Attacker, http2: boolean, upgrade: Case["upgrade"]): Promise<Line> {
  if (upgrade) return attacker.webSocket(upgrade.path, upgrade.extensions);
  return attacker.open(http2 ? { protocol: "h2" } : {});
}

function late(line: Line): Promise<false> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), PATIENCE);
    void line.closed.then(() => clearTimeout(timer));
  });
}
