import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { connect, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Where processes of one machine, and of one user, find each other. */
export interface Address {
  readonly path: string;
  /** Listens there; nobody but this user can connect. */
  listen(server: Server): Promise<void>;
  /** After the server was closed. */
  remove(): Promise<void>;
}

/** A named pipe on Windows, elsewhere a socket: at `path`, or in a folder of its own. */
export async function openAddress(path: string | undefined): Promise<Address> {
  if (process.platform === "win32")
    return pipe(path ?? `\\\\.\\pipe\\partyline-${randomBytes(16).toString("hex")}`);
  if (path !== undefined) return socket(path, async () => undefined);
  // Only its user may enter such a folder.
  const folder = await mkdtemp(join(tmpdir(), "partyline-"));
  return socket(join(folder, "broker"), () => rm(folder, { recursive: true, force: true }));
}

function pipe(path: string): Address {
  return { path, listen: (server) => listenAt(server, path), remove: async () => undefined };
}

function socket(path: string, remove: () => Promise<void>): Address {
  return {
    path,
    async listen(server) {
      try {
        await listenAt(server, path);
      } catch (error) {
        // A process that was killed leaves its socket behind.
        if (!isTaken(error) || (await isAnswered(path))) throw error;
        await rm(path, { force: true });
        await listenAt(server, path);
      }
      await chmod(path, 0o600);
    },
    remove,
  };
}

async function listenAt(server: Server, path: string): Promise<void> {
  await once(server.listen(path), "listening");
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === "EADDRINUSE";
}

/** Does somebody listen there? What is there but takes no connection has been left behind. */
function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", (error: NodeJS.ErrnoException) => resolve(error.code !== "ECONNREFUSED"));
  });
}
