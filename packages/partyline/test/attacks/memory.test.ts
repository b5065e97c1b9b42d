/** Memory that a peer without credentials can take. */
import { describe, expect, it, vi } from "vitest";
import type { AttackedServer } from "../support/attacked-server/index.ts";
import { atOnce, FRAME } from "./attack.ts";
import { frame, OPCODE } from "./frames.ts";
import { fill, request } from "./http-attacks.ts";
import { survive } from "./survive.ts";

const MIB = 1024 * 1024;
const HELLO = '{"t":"hello","v":1}';

/** Resolves when the server has read what was sent to it: its memory grows no more. */
async function readBy(server: AttackedServer): Promise<void> {
  let before = 0;
  for (let { rss } = await server.measure(); rss > before + MIB; { rss } = await server.measure())
    before = rss;
}

describe("a peer that does not read", () => {
  it("cannot make the server hold 200 answers of 1 MiB on each of 10 connections, and is closed", async () => {
    await survive(
      { limits: { slowReader: 1_000 } },
      async (attacker, server) => {
        await fill(attacker);
        const { files } = await server.measure();
        await atOnce(10, async () => {
          const line = await attacker.open();
          line.socket.pause();
          await line.send(
            Buffer.concat(
              Array.from({ length: 200 }, () => request("/channels/full?since=earliest&limit=1000")),
            ),
          );
        });
        // The kernel of this side holds what was sent until the server ends the connection.
        const closed = async (): Promise<void> =>
          expect((await server.measure()).files).toBeLessThanOrEqual(files);
        await vi.waitFor(closed, { timeout: 20_000, interval: 200 });
      },
      { peak: 100, stored: 24 * MIB },
    );
  });
});

describe("before hello", () => {
  it("200 frames that stop at 380 KB are not kept [WS-11]", async () => {
    await survive(
      {},
      async (attacker, server) => {
        const bytes = frame({ opcode: OPCODE.text, payload: "x".repeat(380_000), claimed: 390_000 });
        await atOnce(200, async () => {
          const line = await attacker.webSocket("/connect");
          await line.send(bytes);
        });
        await readBy(server);
      },
      // Kept, they would be 76 MB beside the 45 that 200 connections and what they send at once cost anyway.
      { peak: 100 },
    );
  });

  it("200 bodies that stop before their end hold at most 16 MiB together [WS-11]", async () => {
    await survive(
      {},
      async (attacker, server) => {
        const bytes = request("/connect", { method: "POST", body: `${HELLO}\n${" ".repeat(FRAME - 100)}` });
        await atOnce(200, async () => {
          const line = await attacker.open();
          await line.send(bytes.subarray(0, -10));
        });
        await readBy(server);
      },
      { peak: 60 },
    );
  });
});
