import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gather } from "./broadcast.ts";
import { callTree, type CpuProfile, flameGraph } from "./flame.ts";
import { PARTYLINE } from "./peers.ts";
import { serve } from "./servers.ts";

const READERS = 1_000;
const RATE = 50;
const SIZE = 128;

/** Profiles a fan-out of this server for so many seconds, and draws where the time goes. */
export async function drawProfile(seconds: number): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "partyline-profile-"));
  try {
    await using server = await serve(PARTYLINE.server, "--cpu-prof", `--cpu-prof-dir=${folder}`);
    await using crowd = await gather(server, { wire: PARTYLINE.wire, connections: READERS, channels: 1 });
    await crowd.publish({
      rate: RATE,
      size: SIZE,
      seconds,
      posts: { path: PARTYLINE.publish, connections: 4 },
    });
    // It is written when the process ends by itself.
    server.child.tell({ do: "exit" });
    await server.child.ended();
    const [file = ""] = globSync("*.cpuprofile", { cwd: folder });
    const profile = JSON.parse(readFileSync(join(folder, file), "utf8")) as CpuProfile;
    return flameGraph(`Fan-out to ${READERS} WebSockets: where the server's time goes`, callTree(profile));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
