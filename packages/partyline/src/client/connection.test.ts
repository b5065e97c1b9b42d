import { describe, expect, it } from "vitest";
import { createClientRig, WELCOME } from "../testing/client-rig.ts";
import type { ClientState } from "./client-types.ts";

const EPOCH = "0mhlk2v9q7xa";
const attached = (n: number, offset: number) => ({
  t: "attached",
  n,
  channel: "a",
  c: 3,
  position: `${EPOCH}:${offset}`,
  head: `${EPOCH}:${offset}`,
  replayed: 0,
  keep: "history",
});
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

  it.each([4400, 4401, 4403, 4409, 4426, 1000, 1002, 1008, 1009])(
    "ends in closed after close code %i [CLOSE-1, CLOSE-2]",
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

  it.each([4500, 4503, 4508, 1001, 1005, 1006, 1011, 1012, 1013])(
    "comes back after close code %i [CLOSE-1, CLOSE-2]",
    async (code) => {
      const { rig } = watched();
      await rig.welcome();
      rig.socket.close(code);
      expect(rig.client.state.status).toBe("reconnecting");
    },
  );

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
    expect(rig.client.state.status).toBe("offline");
    rig.clock.advance(600_000);
    expect(rig.sockets).toHaveLength(1);
    rig.setOnline(true);
    await rig.welcome();
    expect(statuses(states)).toEqual(["live", "offline", "reconnecting", "live"]);
  });

  it("is closed for good by close, which leaves no timer and no listener behind", async () => {
    const { rig } = watched();
    await rig.welcome();
    const iterator = rig.client.channel("a").messages();
    await rig.client.close();
    await rig.client.close();
    expect(rig.client.state).toMatchObject({ status: "closed", reason: { code: "closed" } });
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    expect([rig.clock.timers, rig.networkListeners, rig.socket.closed]).toEqual([0, 0, true]);
    expect(() => rig.client.channel("a")).toThrow(expect.objectContaining({ code: "closed" }) as Error);
  });

  it.each(["connecting", "waiting"])("can be closed while %s, and leaves nothing behind", async (when) => {
    const { rig } = watched();
    await rig.settle();
    if (when === "waiting") rig.socket.close(1006);
    await rig.client.close();
    expect([rig.clock.timers, rig.networkListeners]).toEqual([0, 0]);
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
    rig.clock.advance(3_000);
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
    rig.socket.say(attached(1, 7));
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
    rig.socket.say(attached(1, 7), message);
    for (let time = 0; time < 2; time++) {
      rig.socket.close(1006);
      rig.clock.advance(10_000);
      expect(await rig.welcome()).toContainEqual({ t: "attach", n: 1, channel: "a", since: `${EPOCH}:8` });
      rig.socket.say(attached(1, 8));
    }
    expect(got).toEqual([8]);
  });

  it("leaves one listener and one iterator after many reconnects (resumable-stream#48)", async () => {
    const { rig } = watched({ maxDelay: 0 });
    await rig.welcome();
    const got: number[] = [];
    rig.client.channel("a").on("message", ({ offset }) => got.push(offset));
    for (let time = 0; time < 20; time++) {
      rig.socket.close(1006);
      rig.clock.advance(0);
      await rig.welcome();
    }
    rig.socket.say(attached(1, 0), { t: "m", c: 3, offset: 1, time: 1, kind: "json", data: 1 });
    expect(got).toEqual([1]);
    expect(rig.networkListeners).toBe(1);
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

describe("liveness", () => {
  it("asks after 25 s of silence and gives up 10 s later", async () => {
    const { rig } = watched();
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

  it("takes an answer in the very moment of the deadline for an answer (resumable-stream#50)", async () => {
    const { rig } = watched();
    await rig.welcome();
    rig.clock.advance(25_000);
    rig.clock.setTimer(() => rig.socket.say({ t: "pong", n: 1 }), 9_999);
    rig.clock.advance(10_000);
    expect(rig.client.state.status).toBe("live");
    rig.clock.advance(25_000);
    expect(rig.client.state.status).toBe("live");
  });

  it("probes a live connection when the network changes, and drops it within 2 s where nothing comes", async () => {
    const { rig } = watched();
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
    const { rig } = watched();
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
    const { rig } = watched();
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

describe("publishing", () => {
  it("carries an id of 22 characters, and the time of the first attempt by the broker's clock", async () => {
    const { rig } = watched();
    const channel = rig.client.channel("a");
    void channel.publish({ text: "hi" }, { key: "k" }).catch(() => undefined);
    rig.clock.advance(500);
    const [, publish] = await rig.welcome();
    expect(publish).toMatchObject({
      t: "publish",
      n: 1,
      channel: "a",
      kind: "json",
      key: "k",
      data: { text: "hi" },
    });
    expect(publish?.["id"]).toMatch(/^[A-Za-z0-9_-]{22}$/);
    expect(publish?.["at"]).toBe(1_000_000);
    rig.clock.advance(300);
    void channel.publish(2).catch(() => undefined);
    expect(rig.socket.take()).toMatchObject([{ n: 2, at: 1_000_300 }]);
    rig.socket.close(1006);
    rig.clock.advance(250);
    expect((await rig.welcome()).slice(1)).toMatchObject([{ at: 1_000_000 }, { at: 1_000_300 }]);
  });

  it("sends text and binary by kind", async () => {
    const { rig } = watched();
    await rig.welcome();
    const channel = rig.client.channel("a");
    void channel.publish("plain", { kind: "text" }).catch(() => undefined);
    void channel.publish(new Uint8Array([0, 1, 2])).catch(() => undefined);
    expect(rig.socket.take()).toMatchObject([
      { kind: "text", data: "plain" },
      { kind: "binary", data: "AAEC" },
    ]);
    await rig.client.close();
  });

  it("refuses what is not a message of its kind, and what is too large", async () => {
    const { rig } = watched();
    await rig.welcome();
    const channel = rig.client.channel("a");
    await expect(channel.publish(undefined)).rejects.toMatchObject({ code: "bad-json" });
    await expect(channel.publish(1, { kind: "text" })).rejects.toMatchObject({ code: "bad-json" });
    await expect(channel.publish("x", { kind: "binary" })).rejects.toMatchObject({ code: "bad-json" });
    await expect(channel.publish("ä".repeat(32_769), { kind: "text" })).rejects.toMatchObject({
      code: "too-large",
    });
  });

  it("waits in a bounded queue while there is no connection, in messages and in bytes", async () => {
    const { rig } = watched({ pendingPublishes: 2, pendingBytes: 1_000 });
    const waiting = [rig.client.channel("a").publish(1), rig.client.channel("b").publish(2)];
    const overload = { code: "overloaded", remedy: expect.stringMatching(/./) as string };
    await expect(rig.client.channel("a").publish(3)).rejects.toMatchObject(overload);
    await rig.client.close();
    await Promise.allSettled(waiting);

    const other = createClientRig({ pendingBytes: 1_000 });
    await expect(other.client.channel("a").publish("x".repeat(1_000))).rejects.toMatchObject(overload);
  });

  it("to an ephemeral channel fails at once without a connection, and is never sent later [KEEP-14]", async () => {
    const { rig } = watched();
    const channel = rig.client.channel("a", { keep: "nothing" });
    await expect(channel.publish(1)).rejects.toMatchObject({ code: "offline" });
    expect((await rig.welcome()).filter(({ t }) => t === "publish")).toEqual([]);
  });

  it("deletes a key", async () => {
    const { rig } = watched();
    await rig.welcome();
    const deleted = rig.client.channel("a").delete("k");
    expect(rig.socket.take()).toMatchObject([{ t: "delete", n: 1, channel: "a", key: "k" }]);
    rig.socket.say({ t: "result", n: 1, position: `${EPOCH}:1` });
    expect(await deleted).toEqual({ position: `${EPOCH}:1`, duplicate: false });
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
