import { describe, expect, it } from "vitest";
import { attachedAt, createClientRig, EPOCH, messageAt, WELCOME } from "../testing/client-rig.ts";
import { createScriptedHttp, settleStreams } from "../testing/scripted-fetch.ts";

/** A client that is live over a WebSocket and at message 7 of a channel. */
async function awake() {
  const rig = createClientRig();
  const states: string[] = [];
  const got: number[] = [];
  await rig.welcome();
  rig.client.on("state", ({ status }) => states.push(status));
  rig.client.channel("a").on("message", ({ offset }) => got.push(offset));
  rig.socket.say(attachedAt(1, 7));
  rig.socket.take();
  return { rig, states, got };
}

describe("a page that wakes", () => {
  it("suspects its connection at once, and asks", async () => {
    const { rig } = await awake();
    rig.clock.advance(5_000);
    rig.page.wake();
    expect(rig.client.state).toEqual({ status: "suspect", since: 5_000, transport: "ws" });
    expect(rig.socket.take()).toEqual([{ t: "ping", n: 2 }]);
  });

  it("trusts it again when the server has answered, without another connection", async () => {
    const { rig, states } = await awake();
    rig.page.wake();
    rig.clock.advance(1_999);
    rig.socket.say({ t: "pong", n: 2 });
    expect(states).toEqual(["suspect", "live"]);
    rig.clock.advance(24_999);
    expect([rig.sockets.length, rig.socket.take()]).toEqual([1, [{ t: "ping", n: 2 }]]);
  });

  it("asks once, however many events tell of the waking", async () => {
    const { rig, states } = await awake();
    rig.page.wake();
    rig.clock.advance(1_000);
    rig.page.wake();
    rig.setOnline(true);
    expect(rig.socket.take()).toEqual([{ t: "ping", n: 2 }]);
    rig.clock.advance(1_000);
    await rig.settle();
    expect([states, rig.sockets.length]).toEqual([["suspect", "reconnecting"], 2]);
  });

  it("opens another connection beside one that has not answered for a second, to take over at its welcome", async () => {
    const { rig, states, got } = await awake();
    const [doubted] = rig.sockets;
    rig.page.wake();
    rig.clock.advance(1_000);
    expect(await rig.welcome()).toContainEqual({ t: "attach", n: 1, channel: "a", since: `${EPOCH}:7` });
    rig.socket.say(attachedAt(1, 7), messageAt(8));
    expect([states, got, doubted?.closed]).toEqual([["suspect", "live"], [8], true]);
    // The watch alone.
    expect(rig.clock.timers).toBe(1);
  });

  it("lets that one go where the answer comes after all", async () => {
    const { rig, states } = await awake();
    const [doubted] = rig.sockets;
    rig.page.wake();
    rig.clock.advance(1_500);
    await rig.settle();
    doubted?.say({ t: "pong", n: 2 });
    expect([states, doubted?.closed, rig.socket.closed]).toEqual([["suspect", "live"], false, true]);
    expect(rig.clock.timers).toBe(1);
  });

  it("waits on for that one when the answer is overdue", async () => {
    const { rig, states } = await awake();
    rig.page.wake();
    rig.clock.advance(1_000);
    await rig.settle();
    rig.clock.advance(1_500);
    await rig.settle();
    await rig.welcome();
    expect([states, rig.sockets.length]).toEqual([["suspect", "reconnecting", "live"], 2]);
  });

  it("has the difference within 3 s where the connection is dead, also after failures and without any luck", async () => {
    const { rig, got } = await awake();
    rig.pace.chance = 0.999;
    for (let failure = 0; failure < 5; failure++) {
      rig.socket.close(1006);
      rig.clock.advance(30_000);
      await rig.settle();
    }
    await rig.welcome();
    rig.page.wake();
    const dead = rig.socket;
    rig.clock.advance(2_000);
    expect(await rig.welcome()).toContainEqual({ t: "attach", n: 1, channel: "a", since: `${EPOCH}:7` });
    rig.socket.say(attachedAt(1, 7), messageAt(8));
    expect([dead.closed, rig.client.state.status, got]).toEqual([true, "live", [8]]);
  });

  it("does not trust bytes that have waited since before the sleep, nor the answer to an older question [LIVE-5]", async () => {
    const { rig, got } = await awake();
    rig.clock.advance(25_000);
    expect(rig.socket.take()).toEqual([{ t: "ping", n: 2 }]);
    rig.page.wake();
    rig.socket.say(messageAt(8), { t: "pong", n: 2 });
    expect([got, rig.client.state.status]).toEqual([[8], "suspect"]);
    rig.clock.advance(2_000);
    expect(rig.client.state.status).toBe("reconnecting");
  });

  it("waits on while bytes come: the answer stands behind them", async () => {
    const { rig, got } = await awake();
    rig.page.wake();
    for (let offset = 8; offset < 18; offset++) {
      rig.clock.advance(1_500);
      rig.socket.say(messageAt(offset));
    }
    expect([got.length, rig.client.state.status]).toEqual([10, "suspect"]);
    rig.socket.say({ t: "pong", n: 2 });
    expect([rig.client.state.status, rig.sockets.length]).toEqual(["live", 1]);
  });

  it("asks again where the timer overslept, before it takes the silence for an end", async () => {
    const { rig } = await awake();
    rig.pace.slowestTimer = 60_000;
    rig.page.wake();
    rig.clock.advance(60_000);
    expect(rig.client.state.status).toBe("suspect");
    expect(rig.socket.take()).toMatchObject([{ t: "ping" }, { t: "ping", n: 3 }]);
    rig.socket.say({ t: "pong", n: 3 });
    expect(rig.client.state.status).toBe("live");
  });

  it("tries at once where it waits for the next attempt", async () => {
    const { rig, states } = await awake();
    rig.socket.close(1006);
    expect(rig.client.state).toMatchObject({ status: "reconnecting", retryAt: 250 });
    rig.page.wake();
    rig.clock.advance(0);
    expect(rig.client.state).toMatchObject({
      status: "reconnecting",
      retryAt: 0,
      reason: { code: "offline" },
    });
    await rig.welcome();
    expect(states).toEqual(["reconnecting", "reconnecting", "live"]);
  });

  it("stays offline where there is no network, and tries slowly [CLOSE-6]", async () => {
    const { rig, states } = await awake();
    rig.setOnline(false);
    rig.socket.close(1006);
    rig.page.wake();
    rig.clock.advance(29_999);
    await rig.settle();
    expect([states.at(-1), rig.sockets.length]).toEqual(["offline", 1]);
    rig.clock.advance(1);
    await rig.settle();
    expect([states.at(-1), rig.sockets.length]).toEqual(["offline", 2]);
  });
});

describe("a page that is left", () => {
  it("closes its connection, keeps its places, and does nothing", async () => {
    const { rig } = await awake();
    rig.page.leave();
    expect(rig.socket.closed).toBe(true);
    expect(rig.client.state).toMatchObject({
      status: "offline",
      reason: { code: "offline", message: "The page was left." },
    });
    expect([rig.client.channel("a").position, rig.clock.timers]).toEqual([`${EPOCH}:7`, 0]);
    rig.page.leave();
    rig.clock.advance(600_000);
    await rig.settle();
    expect(rig.sockets).toHaveLength(1);
  });

  it("goes on where it was when it is shown again, with what it published meanwhile", async () => {
    const { rig, states } = await awake();
    rig.page.leave();
    const published = rig.client.channel("a").publish("written in between");
    rig.clock.advance(600_000);
    rig.page.wake();
    rig.clock.advance(0);
    const sent = await rig.welcome();
    expect(sent).toContainEqual({ t: "attach", n: 1, channel: "a", since: `${EPOCH}:7` });
    const { n } = sent.find(({ t }) => t === "publish") ?? {};
    rig.socket.say({ t: "result", n, position: `${EPOCH}:8` });
    expect(await published).toEqual({ position: `${EPOCH}:8`, duplicate: false });
    expect(states).toEqual(["offline", "reconnecting", "live"]);
  });

  it("lets go of a connection that was being opened", async () => {
    const { rig } = await awake();
    rig.socket.close(1006);
    rig.clock.advance(250);
    await rig.settle();
    rig.page.leave();
    expect([rig.socket.closed, rig.clock.timers]).toEqual([true, 0]);
  });
});

describe.each(["sse", "poll"] as const)("over %s", (transport) => {
  async function awakeOverHttp() {
    const http = createScriptedHttp();
    const rig = createClientRig({ transports: [transport], fetch: http.fetch });
    const states: string[] = [];
    rig.client.channel("a").on("message", () => undefined);
    await settleStreams();
    http.requests[0]?.say(WELCOME, attachedAt(1, 7));
    await settleStreams();
    rig.client.on("state", ({ status }) => states.push(status));
    const [present] = http.requests.slice(-1);
    const newest = () => http.requests.at(-1);
    return { http, rig, states, present, newest };
  }

  it("a page that wakes asks by a new request at its places, which takes over when it is answered [LIVE-5]", async () => {
    const { rig, states, present, newest } = await awakeOverHttp();
    rig.page.wake();
    await settleStreams();
    expect(newest()).not.toBe(present);
    expect(newest()?.frames).toContainEqual({ t: "attach", n: 1, channel: "a", since: `${EPOCH}:7` });
    expect([states, present?.aborted]).toEqual([["suspect"], false]);
    newest()?.say(WELCOME, attachedAt(1, 7));
    await settleStreams();
    expect([states, present?.aborted]).toEqual([["suspect", "live"], true]);
  });

  it("a page that wakes begins anew where nothing comes within 2 s", async () => {
    const { http, rig, states, newest } = await awakeOverHttp();
    rig.page.wake();
    await settleStreams();
    rig.clock.advance(2_000);
    await settleStreams();
    expect(http.requests.slice(-3).map(({ aborted }) => aborted)).toEqual([true, true, false]);
    newest()?.say(WELCOME, attachedAt(1, 7));
    await settleStreams();
    expect(states).toEqual(["suspect", "reconnecting", "live"]);
  });

  it("a page that is left lets go of all its requests", async () => {
    const { http, rig, present } = await awakeOverHttp();
    rig.page.leave();
    expect([present?.aborted, rig.client.state.status, rig.clock.timers]).toEqual([true, "offline", 0]);
    const count = http.requests.length;
    rig.page.wake();
    rig.clock.advance(0);
    await settleStreams();
    expect(http.requests.slice(count)[0]?.frames).toContainEqual({
      t: "attach",
      n: 1,
      channel: "a",
      since: `${EPOCH}:7`,
    });
  });
});
