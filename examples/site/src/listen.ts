import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";

/** The names under which a server that listens here is reached. Any other is somebody's trick with DNS. */
export const hosts: readonly string[] = ["127.0.0.1", "localhost"];

/** How many ports are tried before giving up. */
const TRIES = 20;

/**
 * Listens on loopback at `port`, or at the next free one, telling `say` about each that was taken. Port 0 takes
 * any free one. Answers with the URL.
 */
export async function listen(
  server: Server,
  port: number,
  say: (line: string) => void = console.log,
): Promise<string> {
  for (let candidate = port; ; candidate += 1) {
    try {
      server.listen(candidate, "127.0.0.1");
      await once(server, "listening");
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    } catch (error) {
      const taken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
      if (!taken || candidate - port >= TRIES) throw error;
      say(`Port ${candidate} is taken; trying ${candidate + 1}.`);
    }
  }
}
