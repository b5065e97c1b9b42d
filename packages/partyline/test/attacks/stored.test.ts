/** What a peer without credentials can have stored. */
import { describe, expect, it } from "vitest";
import { atOnce } from "./attack.ts";
import { text } from "./frames.ts";
import { request } from "./http-attacks.ts";
import type { Attacker } from "./peer.ts";
import { survive } from "./survive.ts";

const MIB = 1024 * 1024;
const HELLO = '{"t":"hello","v":1}';

/** Requests that are sent before the answers to them are awaited: fewer than a connection may have waiting. */
const AHEAD = 100;

/** Sends these requests over one connection, and expects that all are answered. */
async function postAll(attacker: Attacker, count: number, make: (index: number) => Buffer): Promise<void> {
  const line = await attacker.open();
  for (let index = 0; index < count;) {
    const some = Array.from({ length: Math.min(AHEAD, count - index) }, () => make(index++));
    await line.send(Buffer.concat(some));
    expect(await line.answered(index)).toBe(true);
  }
}

describe("what is stored", () => {
  it("10 000 names that were attached and never published to leave nothing", async () => {
    const attach = async (attacker: Attacker): Promise<void> => {
      await atOnce(5, async (connection) => {
        const line = await attacker.webSocket("/connect");
        await line.send(text(HELLO));
        for (let n = 0; n < 2_000; n++) {
          const channel = JSON.stringify(`${connection}/${n}/${"x".repeat(200)}`);
          await line.send(
            text(
              `{"t":"attach","n":${2 * n},"channel":${channel}}\n{"t":"detach","n":${2 * n + 1},"channel":${channel}}`,
            ),
          );
        }
        await line.until('"n":3999');
      });
    };
    // A node follows a channel for some time after its last reader has left.
    await survive({}, attach, { returns: 45_000 });
  });

  it("the query of a publish is not kept with its key", async () => {
    await survive(
      {},
      (attacker) =>
        postAll(attacker, 3_000, (n) =>
          request(`/channels/a?key=${`${n}`.padStart(40, "k")}&x=${"y".repeat(14_000)}`, {
            method: "POST",
            body: "x",
          }),
        ),
      { stored: 4 * MIB },
    );
  });

  it("64 KB in each of 1 000 keys are bounded by the retention", async () => {
    await survive(
      { retention: { bytes: 4 * MIB } },
      (attacker) =>
        postAll(attacker, 1_000, (n) =>
          request(`/channels/latest/a?key=key${n}`, { method: "POST", body: "x".repeat(65_000) }),
        ),
      { stored: 6 * MIB },
    );
  });

  it("100 000 publish ids are bounded by the total [LIM-5]", async () => {
    await survive(
      { retention: { bytes: MIB }, limits: { logBytes: 8 * MIB } },
      (attacker) =>
        atOnce(4, (connection) =>
          postAll(attacker, 25_000, (n) =>
            request("/channels/a", {
              method: "POST",
              head: `Idempotency-Key: ${connection}-${`${n}`.padStart(60, "x")}\r\n`,
              body: "x",
            }),
          ),
        ),
      { stored: 8 * MIB },
    );
  });

  it("64 KB in each of 2 000 new channels are bounded by the total [LIM-5]", async () => {
    await survive(
      { limits: { logBytes: 16 * MIB } },
      (attacker) =>
        postAll(attacker, 2_000, (n) =>
          request(`/channels/new/${n}`, { method: "POST", body: "x".repeat(65_000) }),
        ),
      { stored: 16 * MIB },
    );
  });
});
