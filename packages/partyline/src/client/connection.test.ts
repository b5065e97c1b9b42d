import { describe, expect, it } from "vitest";
import { attachedAt, createClientRig, EPOCH, WELCOME } from "../testing/client-rig.ts";
import type { ClientState } from "./client-types.ts";

const statuses = (states: ClientState[]): string[] => states.map(({ status }) => status);

function watched(options?: Parameters<typeof createClientRig>[0]) {
  const rig = createClientRig(options);
  const states: ClientState[] = [];
  rig.client.on("state", (state) => states.push(state));
  return { rig, states };
}

describe("the client's state", () => {
  it("goes from connecting to live, with the transport and since when", async () => {
    const { rig, states } = watched();
    expect(rig.client.state).toEqual({ status: "connecting", since: 0 });
    await rig.welcome();
    expect(rig.client.state).toEqual({ status: "live", since: 0, transport: "ws" });
    expect(statuses(states)).toEqual(["live"]);
  });

  it("goes over reconnecting back to live, with the reason", async () => {
    const { rig, states } = watched();
    await rig.welcome();
    rig.socket.close(1006);
    expect(rig.client.state).toMatchObject({ status: "reconnecting", reason: { code: "offline" } });
    rig.clock.advance(250);
    await rig.welcome();
    expect(statuses(states)).toEqual(["live", "reconnecting", "live"]);
  });

  it.each([4400, 4401, 4403, 4409, 4426, 4499])(
    "ends in closed after close code %i [CLOSE-1]",
    async (code) => {
      const { rig } = watched();
      await rig.welcome();
      const next = rig.client.channel("a").messages().next();
      rig.socket.close(code);
      expect(rig.client.state.status).toBe("closed");
      await expect(next).rejects.toMatchObject({ code: "closed" });
      rig.clock.advance(100_000);
      expect(rig.sockets).toHaveLength(1);
    },
  );

  it.each([
    4500, 4503, 4508, 4600, 1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1011, 1012, 1013, 3000,
    4000, 4399,
  ])("comes back after close code %i [CLOSE-1, CLOSE-2]", async (code) => {
    const { rig } = watched();
    await rig.welcome();
    rig.socket.close(code);
    expect(rig.client.state.status).toBe("reconnecting");
  });

  it("comes back as soon where an error is all that tells of a WebSocket that could not be opened", async () => {
    const { rig, states } = watched();
    await rig.settle();
    rig.socket.fail();
    expect(states).toMatchObject([{ status: "connecting", reason: { code: "offline" } }]);
    rig.clock.advance(250);
    await rig.welcome();
    expect(rig.sockets).toHaveLength(2);
    rig.socket.fail();
    expect(rig.client.state.status).toBe("live");
  });

  it("has the server's error as its reason where one came before the close", async () => {
    const { rig } = watched();
    await rig.welcome();
    rig.socket.say({ t: "error", code: "unauthorized", message: "no token", remedy: "send one" });
    rig.socket.close(4401);
    expect(rig.client.state.reason).toMatchObject({ code: "unauthorized", remedy: "send one" });
  });

  it("is offline while the runtime says that there is no network, and tries as soon as there is", async () => {
    const { rig, states } = watched();
    await rig.welcome();
    rig.setOnline(false);
    rig.socket.close(1006);
    expect(rig.client.state).toMatchObject({ status: "offline", retryAt: 30_000 });
    rig.clock.advance(29_999);
    await rig.settle();
    expect(rig.sockets).toHaveLength(1);
    rig.setOnline(true);
    rig.clock.advance(0);
    await rig.welcome();
    expect(statuses(states)).toEqual(["live", "suspect", "offline", "reconnecting", "live"]);
  });

  it("is offline, and becomes live, where the runtime is wrong about the network [CLOSE-6]", async () => {
    const { rig, states } = watched();
    await rig.welcome();
    rig.setOnline(false);
    for (let attempt = 0; attempt < 3; attempt++) {
      rig.socket.close(1006);
      expect(rig.client.state.status).toBe("offline");
      rig.clock.advance(30_000);
      await rig.settle();
    }
    await rig.welcome();
    expect(rig.sockets).toHaveLength(4);
    expect(statuses(states)).toEqual(["live", "suspect", "offline", "offline", "offline", "live"]);
  });

  it("is closed for good by close, which leaves no timer and no listener behind", async () => {
    const { rig } = watched();
    await rig.welcome();
    const iterator = rig.client.channel("a").messages();
    await rig.client.close();
    await rig.client.close();
    expect(rig.client.state).toMatchObject({ status: "closed", reason: { code: "closed" } });
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    expect([rig.clock.timers, rig.listeners, rig.socket.closed]).toEqual([0, 0, true]);
    expect(() => rig.client.channel("a")).toThrow(expect.objectContaining({ code: "closed" }) as Error);
  });

  it.each(["connecting", "waiting"])("can be closed while %s, and leaves nothing behind", async (when) => {
    const { rig } = watched();
    await rig.settle();
    if (when === "waiting") rig.socket.close(1006);
    await rig.client.close();
    expect([rig.clock.timers, rig.listeners]).toEqual([0, 0]);
  });
});

describe("a transport that is tried beside the present one", () => {
  it("and fails takes nothing with it: an attach that was under way is answered all the same", async () => {
    const { rig } = watched();
    await rig.welcome();
    const [live] = rig.sockets;
    // The scripted network has one transport only; changing to another one fails when it is opened.
    const changed = rig.client.switchTransport("sse");
    const got: number[] = [];
    rig.client.channel("a").on("message", ({ offset }) => got.push(offset));
    await expect(changed).rejects.toMatchObject({ code: "offline" });
    live?.say(attachedAt(1, 7), { t: "m", c: 3, offset: 8, time: 1, kind: "json", data: 1 });
    expect(got).toEqual([8]);
  });
});

describe("coming back", () => {
  it("waits with full jitter, twice as long after each failure, up to the longest wait", async () => {
    const { rig } = watched({ maxDelay: 1500 });
    await rig.welcome();
    const waits: number[] = [];
    for (let failure = 0; failure < 4; failure++) {
      const lostAt = rig.clock.now();
      const count = rig.sockets.length;
      rig.socket.close(1006);
      while (rig.sockets.length === count) {
        rig.clock.advance(1);
        await rig.settle();
      }
      waits.push(rig.clock.now() - lostAt);
    }
    expect(waits).toEqual([250, 500, 750, 750]);
  });

  it("forgets failures only after a connection that lasted", async () => {
    const { rig } = watched();
    await rig.welcome();
    rig.socket.close(1006);
    rig.clock.advance(250);
    await rig.welcome();
    rig.clock.advance(9_999);
    rig.socket.close(1006);
    rig.clock.advance(250);
    await rig.settle();
    expect(rig.sockets).toHaveLength(2);
    rig.clock.advance(250);
    await rig.welcome();
    rig.clock.advance(10_000);
    rig.socket.close(1006);
    rig.clock.advance(250);
    await rig.settle();
    expect(rig.sockets).toHaveLength(4);
  });

  it("waits at least as long as the server asks for", async () => {
    const { rig } = watched();
    await rig.welcome();
    rig.socket.say({ t: "error", code: "draining", message: "bye", remedy: "come again", retryAfter: 7 });
    rig.socket.close(4503);
    rig.clock.advance(7_249);
    await rig.settle();
    expect(rig.sockets).toHaveLength(1);
    rig.clock.advance(1);
    await rig.settle();
    expect(rig.sockets).toHaveLength(2);
  });

  it("gives up on a transport that does not say its first frame in time", async () => {
    const { rig } = watched();
    await rig.settle();
    rig.socket.open();
    rig.clock.advance(10_000);
    expect(rig.socket.closed).toBe(true);
    rig.clock.advance(250);
    await rig.welcome();
    expect(rig.client.state.status).toBe("live");
  });

  it("asks for the token anew for each connection, and waits for it before the first frame (trpc#6547)", async () => {
    let asked = 0;
    const waiting: ((token: string) => void)[] = [];
    const { rig } = watched({
      token: () => {
        asked++;
        return new Promise((resolve) => void waiting.push(resolve));
      },
    });
    await rig.settle();
    expect([asked, rig.sockets.length]).toEqual([1, 0]);
    waiting.shift()?.("one");
    expect(await rig.welcome()).toEqual([{ t: "hello", v: 1, token: "one" }]);
    rig.socket.close(4508);
    rig.clock.advance(250);
    waiting.shift()?.("two");
    expect(await rig.welcome()).toEqual([{ t: "hello", v: 1, token: "two" }]);
  });

  it("resumes with zero messages received, from the position of the reply (socket.io#5538)", async () => {
    const { rig } = watched();
    await rig.welcome();
    rig.client.channel("a").on("message", () => undefined);
    rig.socket.say(attachedAt(1, 7));
    rig.socket.close(1006);
    rig.clock.advance(250);
    expect(await rig.welcome()).toContainEqual({ t: "attach", n: 1, channel: "a", since: `${EPOCH}:7` });
  });

  it("resumes twice while idle without a double (socket.io#5419)", async () => {
    const { rig } = watched();
    await rig.welcome();
    const got: number[] = [];
    rig.client.channel("a").on("message", ({ offset }) => got.push(offset));
    const message = { t: "m", c: 3, offset: 8, time: 1, kind: "json", data: 1 };
    rig.socket.say(attachedAt(1, 7), message);
    for (let time = 0; time < 2; time++) {
      rig.socket.close(1006);
      rig.clock.advance(10_000);
      expect(await rig.welcome()).toContainEqual({ t: "attach", n: 1, channel: "a", since: `${EPOCH}:8` });
      rig.socket.say(attachedAt(1, 8));
    }
    expect(got).toEqual([8]);
  });

  it("leaves one listener and one iterator after many reconnects (resumable-stream#48)", async () => {
    const { rig } = watched({ maxDelay: 100 });
    await rig.welcome();
    const got: number[] = [];
    rig.client.channel("a").on("message", ({ offset }) => got.push(offset));
    for (let time = 0; time < 20; time++) {
      rig.socket.close(1006);
      rig.clock.advance(50);
      await rig.welcome();
    }
    rig.socket.say(attachedAt(1, 0), { t: "m", c: 3, offset: 1, time: 1, kind: "json", data: 1 });
    expect(got).toEqual([1]);
    expect(rig.listeners).toBe(2);
    expect(rig.sockets.filter(({ closed }) => !closed)).toHaveLength(1);
    // The watch alone.
    expect(rig.clock.timers).toBe(1);
  });

  it("sends what was queued while the socket was replaced, once and in order (partysocket 2026-06)", async () => {
    const { rig } = watched();
    await rig.welcome();
    const channel = rig.client.channel("a");
    const first = channel.publish("one");
    rig.socket.close(1006);
    const second = channel.publish("two");
    expect(channel.pending.map(({ state }) => state)).toEqual(["sent", "waiting"]);
    rig.clock.advance(250);
    const sent = (await rig.welcome()).filter(({ t }) => t === "publish");
    expect(sent.map(({ data }) => data)).toEqual(["one", "two"]);
    rig.socket.say(
      { t: "result", n: 1, position: `${EPOCH}:1`, duplicate: true },
      { t: "result", n: 2, position: `${EPOCH}:2` },
    );
    expect(await first).toEqual({ position: `${EPOCH}:1`, duplicate: true });
    expect(await second).toEqual({ position: `${EPOCH}:2`, duplicate: false });
    expect(channel.pending).toEqual([]);
  });
});

it("takes a frame of a type that it does not know for nothing [WIRE-4]", async () => {
  const { rig } = watched();
  await rig.welcome();
  rig.socket.say({ t: "weather", c: 3 }, WELCOME);
  expect(rig.client.state.status).toBe("live");
});

it("drops a connection on which something else than frames comes", async () => {
  const { rig } = watched();
  await rig.welcome();
  rig.socket.say("nonsense" as never);
  expect(rig.client.state.status).toBe("reconnecting");
});
