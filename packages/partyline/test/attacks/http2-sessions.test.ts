/** Sessions of HTTP/2 that break off. */
import { describe, expect, it, vi } from "vitest";
import { startAttackedServer } from "../support/attacked-server/index.ts";
import { atOnce } from "./attack.ts";
import { get, headerBlock, http2Frame, PREFACE, TYPE } from "./http2-attacks.ts";
import { Attacker } from "./peer.ts";

const MIB = 1024 * 1024;

describe("sessions of HTTP/2 that break off", () => {
  it("leave no memory", async () => {
    await using server = await startAttackedServer({ host: "tls" });
    const attacker = new Attacker({ port: server.port, tls: true });
    const session = async (): Promise<void> => {
      const line = await attacker.open({ protocol: "h2" });
      await line.send(Buffer.concat([PREFACE, get(1, "/channels/a")]));
      await line.until("\0\0");
      line.leave();
      await line.closed;
    };
    const sessions = async (rounds: number): Promise<void> => {
      for (let round = 0; round < rounds; round++) await atOnce(20, session);
    };
    await sessions(10);
    const { held } = await server.measure();
    await sessions(30);
    const gone = async (): Promise<void> =>
      expect((await server.measure()).held - held).toBeLessThan(2 * MIB);
    await vi.waitFor(gone, { timeout: 15_000, interval: 200 });
  });

  it("leave no file descriptor, and the server closes by itself", async () => {
    await using server = await startAttackedServer({ host: "tls" });
    const attacker = new Attacker({ port: server.port, tls: true });
    const session = async (index: number): Promise<void> => {
      const line = await attacker.open({ protocol: "h2" });
      const body = http2Frame(TYPE.headers, 4, 1, headerBlock("POST", "/connect"));
      const requests = [get(1, "/events?channel=a"), get(1, "/channels/a?wait=50"), body, Buffer.alloc(0)];
      await line.send(Buffer.concat([PREFACE, requests[index % requests.length] ?? body]));
      if (index % 2 === 0) await line.until("\0\0");
      line.leave();
      await line.closed;
    };
    await atOnce(4, session);
    const { files } = await server.measure();
    for (let round = 0; round < 10; round++) await atOnce(20, session);

    const gone = async (): Promise<void> => expect((await server.measure()).files).toBeLessThanOrEqual(files);
    await vi.waitFor(gone, { timeout: 15_000, interval: 200 });
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        attacker
          .open({ protocol: "h2" })
          .then((line) => line.send(Buffer.concat([PREFACE, get(1, `/events?channel=${index}`)]))),
      ),
    );
    expect(await server.close()).toBe(0);
    expect(attacker.internal).toEqual([]);
  });
});
