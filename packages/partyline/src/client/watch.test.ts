import { describe, expect, it } from "vitest";
import { createClientRig } from "../testing/client-rig.ts";

const EPOCH = "0mhlk2v9q7xa";

describe("liveness", () => {
  it("asks after 25 s of silence and gives up 10 s later", async () => {
    const rig = createClientRig();
    await rig.welcome();
    rig.clock.advance(24_999);
    expect(rig.socket.take()).toEqual([]);
    rig.clock.advance(1);
    expect(rig.socket.take()).toEqual([{ t: "ping", n: 1 }]);
    rig.clock.advance(9_999);
    expect(rig.client.state.status).toBe("live");
    rig.clock.advance(1);
    expect(rig.client.state.status).toBe("reconnecting");
    expect(rig.socket.closed).toBe(true);
  });

  it("asks after each silence, also where it has more patience for an answer than for a silence", async () => {
    const rig = createClientRig({ pingInterval: 2_000, pongTimeout: 10_000 });
    await rig.welcome();
    for (let n = 1; n <= 10; n++) {
      rig.clock.advance(2_000);
      expect(rig.socket.take()).toEqual([{ t: "ping", n }]);
      rig.socket.say({ t: "pong", n });
    }
    expect(rig.client.state.status).toBe("live");
  });

  it("takes an answer in the very moment of the deadline for an answer (resumable-stream#50)", async () => {
    const rig = createClientRig();
    await rig.welcome();
    rig.clock.advance(25_000);
    rig.clock.setTimer(() => rig.socket.say({ t: "pong", n: 1 }), 9_999);
    rig.clock.advance(10_000);
    expect(rig.client.state.status).toBe("live");
    rig.clock.advance(25_000);
    expect(rig.client.state.status).toBe("live");
  });

  it("probes a live connection when the network changes, and drops it within 2 s where nothing comes", async () => {
    const rig = createClientRig();
    await rig.welcome();
    rig.setOnline(false);
    expect(rig.socket.take()).toEqual([{ t: "ping", n: 1 }]);
    rig.socket.say({ t: "pong", n: 1 });
    rig.clock.advance(2_000);
    expect(rig.client.state.status).toBe("live");
    rig.setOnline(true);
    rig.clock.advance(2_000);
    expect(rig.client.state.status).toBe("reconnecting");
  });

  it("asks once more where its timer overslept, because the answer may wait in the same queue", async () => {
    const rig = createClientRig();
    await rig.welcome();
    rig.pace.slowestTimer = 300_000;
    rig.clock.advance(325_000);
    rig.pace.slowestTimer = 0;
    expect(rig.socket.take()).toMatchObject([{ t: "ping" }, { t: "ping" }]);
    expect(rig.client.state.status).toBe("live");
    rig.clock.advance(300_000);
    expect(rig.client.state.status).toBe("reconnecting");
  });

  it("keeps a good connection when a tab is hidden: nothing is sent again (fetch-event-source#36)", async () => {
    const rig = createClientRig();
    await rig.welcome();
    const publish = rig.client.channel("a").publish(1);
    rig.socket.take();
    rig.pace.slowestTimer = 60_000;
    for (let minute = 0; minute < 5; minute++) {
      rig.clock.advance(60_000);
      if (rig.socket.take().some(({ t }) => t === "ping")) rig.socket.say({ t: "pong", n: minute + 2 });
    }
    expect(rig.socket.take().filter(({ t }) => t === "publish")).toEqual([]);
    expect(rig.sockets).toHaveLength(1);
    rig.socket.say({ t: "result", n: 1, position: `${EPOCH}:1` });
    await publish;
  });
});
