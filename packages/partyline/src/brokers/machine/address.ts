import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmod, lstat, mkdtemp, readdir, rm, rmdir } from "node:fs/promises";
import { connect, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Folders in that for temporary files, with one socket each. */
const FOLDER = "partyline-broker-";
const SOCKET = "broker";

/** A socket that is younger may be one that its process is about to listen at, ms. */
const SURELY_LISTENED = 60_000;

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
  await removeLeftFolders();
  // Only its user may enter such a folder.
  const folder = await mkdtemp(join(tmpdir(), FOLDER));
  return socket(join(folder, SOCKET), () => rm(folder, { recursive: true, force: true }));
}

/** A process that was killed has left its own. What can't be looked at or removed is not in the way. */
async function removeLeftFolders(): Promise<void> {
  const names = await readdir(tmpdir()).catch(() => []);
  for (const name of names.filter((each) => each.startsWith(FOLDER)))
    await removeIfLeft(join(tmpdir(), name)).catch(() => undefined);
}

async function removeIfLeft(folder: string): Promise<void> {
  const path = join(folder, SOCKET);
  const found = await lstat(path);
  const isOld = Date.now() - found.mtimeMs > SURELY_LISTENED;
  if (found.uid !== process.getuid?.() || !found.isSocket() || !isOld || (await isAnswered(path))) return;
  await rm(path);
  await rmdir(folder);
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
