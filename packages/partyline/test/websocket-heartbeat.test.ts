/** Pings of WebSockets, and peers whose frames arrive slowly. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createPartyline, type Partyline, type PartylineOptions } from "../src/server.ts";
import { createVirtualClock } from "../src/testing/virtual-clock.ts";
import { clientFrame, openBareWebSocket } from "./transport/bare-websocket.ts";
import { openSocket } from "./transport/websocket-probes.ts";

let server: Partyline;
let url: string;
let port: number;

async function start(options: PartylineOptions = {}): Promise<void> {
  server = createPartyline(options);
  ({ url, port } = await server.listen(0));
}

beforeEach(() => start());
afterEach(() => server.close());

async function restart(options: PartylineOptions): Promise<void> {
  await server.close();
  await start(options);
}

describe("a heartbeat", () => {
  it("keeps who answers, and ends who does not [LIVE-3]", async () => {
    await restart({ heartbeat: { ping: 1, pong: 1 } });
    const socket = await openSocket(`${url}/channels/a`);
    let pings = 0;
    socket.on("ping", () => pings++);
    const { closed } = await openBareWebSocket(port, "/channels/a");
    expect(await closed).toEqual(Buffer.of(0x89, 0));
    while (pings < 2) await new Promise((resolve) => socket.once("ping", resolve));
    expect([socket.readyState, server.connections]).toEqual([socket.OPEN, 1]);
  });

  /** Sends a frame of 64 000 bytes, `rate` bytes each second of virtual time. @returns The seconds until its end. */
  async function upload(path: string, before: string[], rate: number): Promise<number> {
    const clock = createVirtualClock();
    await restart({ clock });
    const { socket, closed } = await openBareWebSocket(port, path);
    for (const text of before) socket.write(clientFrame(1, text));
    let over = false;
    void closed.then(() => (over = true));
    const start = '{"t":"publish","n":1,"channel":"a","id":"x","at":1,"data":"';
    const frame = clientFrame(
      1,
      path === "/connect" ? `${start}${"x".repeat(63_900)}"}` : "x".repeat(64_000),
    );
    let seconds = 0;
    for (let sent = 0; sent < frame.length && !over; sent += rate, seconds++) {
      await new Promise((resolve) => socket.write(frame.subarray(sent, sent + rate), resolve));
      for (let n = 0; n < 20; n++) await new Promise((resolve) => setImmediate(resolve));
      clock.advance(1_000);
      for (let n = 0; n < 20; n++) await new Promise((resolve) => setImmediate(resolve));
    }
    if (!over) while (!server.counters().published) await new Promise((resolve) => setImmediate(resolve));
    socket.destroy();
    return seconds;
  }

  it.each([
    ["/channels/a", []],
    ["/connect", ['{"t":"hello","v":1}']],
  ])(
    "keeps a peer whose frame takes 43 s at 1.5 KB/s, and stores it, on %s [LIVE-7]",
    async (path, before) => {
      expect(await upload(path, before, 1_500)).toBe(43);
      expect(server.counters().published).toEqual({ "": 1 });
    },
  );

  it("ends a peer whose frame arrives with 1 byte/s [LIVE-7]", async () => {
    expect(await upload("/channels/a", [], 1)).toBeLessThan(40);
    expect(server.counters().published).toBeUndefined();
  });
});
