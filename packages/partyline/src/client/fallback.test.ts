import { describe, expect, it } from "vitest";
import { createClientRig, WELCOME } from "../testing/client-rig.ts";
import { createScriptedHttp, settleStreams } from "../testing/scripted-fetch.ts";
import type { ClientOptions, ClientState } from "./client-types.ts";

const EPOCH = "0mhlk2v9q7xa";
const ATTACHED = {
  t: "attached",
  n: 1,
  channel: "a",
  c: 3,
  position: `${EPOCH}:7`,
  head: `${EPOCH}:8`,
  replayed: 1,
  keep: "history",
};
const MESSAGE = { t: "m", c: 3, offset: 8, time: 1, kind: "json", data: 1 };

/** A client with all transports, on a network that does what the test says. */
async function begun(options: ClientOptions = {}, notes?: Map<string, string>) {
  const http = createScriptedHttp();
  const rig = createClientRig({ transports: ["ws", "sse", "poll"], fetch: http.fetch, ...options }, notes);
  const states: ClientState[] = [];
  const got: number[] = [];
  rig.client.on("state", (state) => states.push(state));
  rig.client.channel("a").on("message", ({ offset }) => got.push(offset));
  await settleStreams();
  const advance = async (ms: number) => {
    rig.clock.advance(ms);
    await settleStreams();
  };
  /** What was opened so far: sockets, streams, and requests that are answered at once or wait. */
  const opened = () => [
    rig.sockets.length,
    http.requests.filter(({ streams }) => streams).length,
    http.requests.filter(({ streams }) => !streams).length,
  ];
  return { http, rig, states, got, advance, opened };
}

describe("a client whose transports are held up", () => {
  it("has its first message by polling 2 s after the start, while it waits on for the others", async () => {
    const { http, rig, got, advance, opened } = await begun();
    expect(opened()).toEqual([1, 0, 0]);
    await advance(1_000);
    expect(opened()).toEqual([1, 1, 0]);
    await advance(1_000);
    expect(opened()).toEqual([1, 1, 1]);
    http.requests[1]?.say(WELCOME, ATTACHED, MESSAGE);
    await settleStreams();
    expect([got, rig.socket.closed, http.requests[0]?.aborted]).toEqual([[8], false, false]);
    expect(rig.client.state).toEqual({
      status: "live",
      since: 2_000,
      transport: "poll",
      because: { ws: "Nothing came within 1000 ms.", sse: "Nothing came within 1000 ms." },
    });
  });

  it("gives the better transport the channels when it comes after all, and lets go of the others", async () => {
    const { http, rig, states, advance } = await begun();
    await advance(1_000);
    await advance(1_000);
    http.requests[1]?.say(WELCOME, ATTACHED);
    await settleStreams();
    rig.socket.open();
    rig.socket.say(WELCOME);
    await settleStreams();
    expect(states.map(({ transport }) => transport)).toEqual(["poll", "ws"]);
    expect(http.requests.map(({ aborted }) => aborted)).toEqual([true, true, true]);
    expect(rig.client.state).toEqual({ status: "live", since: 2_000, transport: "ws" });
    // The watch alone.
    expect(rig.clock.timers).toBe(1);
  });

  it("lets go of those that are worse than the first that comes", async () => {
    const { http, rig, advance } = await begun();
    await advance(1_000);
    await advance(1_000);
    http.requests[0]?.say(WELCOME, ATTACHED);
    await settleStreams();
    expect([rig.client.state.transport, rig.socket.closed, http.requests[1]?.aborted]).toEqual([
      "sse",
      false,
      true,
    ]);
    await advance(8_000);
    expect(rig.socket.closed).toBe(true);
  });

  it.each([1002, 1003, 1007, 1008, 1009, 1010])(
    "begins with the next one after a WebSocket that was closed with %i [CLOSE-3]",
    async (code) => {
      const { rig, advance, opened } = await begun();
      await rig.welcome();
      rig.socket.close(code);
      await settleStreams();
      await advance(250);
      expect(opened()).toEqual([1, 1, 0]);
    },
  );

  it.each([1000, 1001, 1005, 1006, 1011, 1012, 1013, 4000])(
    "begins with the WebSocket again after one that was closed with %i [CLOSE-2]",
    async (code) => {
      const { rig, advance, opened } = await begun();
      await rig.welcome();
      rig.socket.close(code);
      await settleStreams();
      await advance(250);
      expect(opened()).toEqual([2, 0, 0]);
    },
  );

  it("opens the next one at once where one fails, and says why", async () => {
    const { http, rig, opened } = await begun();
    rig.socket.close(1006);
    await settleStreams();
    expect(opened()).toEqual([1, 1, 0]);
    http.requests[0]?.refuse(502);
    await settleStreams();
    expect(opened()).toEqual([1, 1, 1]);
    http.requests[1]?.say(WELCOME, ATTACHED);
    await settleStreams();
    expect(rig.client.state.because).toEqual({
      ws: "The WebSocket (1006) was lost.",
      sse: "HTTP status 502, not from a partyline server.",
    });
  });

  it("waits for the next attempt when all have failed, and says when it is due", async () => {
    const { http, rig, states, advance, opened } = await begun();
    await advance(1_000);
    await advance(1_000);
    for (const request of http.requests) request.end();
    rig.socket.close(1006);
    await settleStreams();
    expect(states).toMatchObject([{ status: "connecting", retryAt: 2_250, reason: { code: "offline" } }]);
    await advance(250);
    expect(opened()).toEqual([2, 1, 1]);
  });

  it("opens no other one beside a server that asks for time, and lets go of those being opened", async () => {
    const { http, rig, advance, opened } = await begun();
    await advance(1_000);
    http.requests[0]?.refuse(503, { code: "overloaded", detail: "busy", retryAfter: 5 });
    await settleStreams();
    expect([rig.socket.closed, opened()]).toEqual([true, [1, 1, 0]]);
    expect(rig.client.state).toMatchObject({ retryAt: 6_250, reason: { code: "overloaded" } });
    await advance(5_250);
    expect(opened()).toEqual([2, 1, 0]);
  });

  it("waits longer for what has worked: a slow server does not get three connections of each client", async () => {
    const { rig, advance, opened } = await begun();
    await rig.welcome();
    await advance(20_000);
    rig.socket.close(1006);
    await advance(250);
    await advance(2_999);
    expect(opened()).toEqual([2, 0, 0]);
    await advance(1);
    expect(opened()).toEqual([2, 1, 0]);
  });
});

describe("what worked", () => {
  const name = "partyline:http://test/connect";

  it("is noted for the pages that follow, and begun with by them", async () => {
    const first = await begun();
    first.rig.socket.close(1006);
    await settleStreams();
    first.http.requests[0]?.say(WELCOME, ATTACHED);
    await settleStreams();
    expect([...first.rig.notes]).toEqual([[name, "sse"]]);

    const second = await begun({}, first.rig.notes);
    expect(second.opened()).toEqual([0, 1, 0]);
    second.http.requests[0]?.say(WELCOME, ATTACHED);
    await settleStreams();
    expect(second.rig.client.state).toMatchObject({ transport: "sse", because: {} });
  });

  it("does not keep the better transport away: it is tried beside it later, and noted", async () => {
    const { http, rig, advance, opened } = await begun({}, new Map([[name, "poll"]]));
    http.requests[0]?.say(WELCOME, ATTACHED);
    await settleStreams();
    expect(rig.client.state.transport).toBe("poll");
    await advance(10_000);
    http.requests[1]?.say(WELCOME, ATTACHED);
    await settleStreams();
    expect(opened()[0]).toBe(0);
    for (let second = 10; second < 60; second += 10) {
      http.requests.at(-1)?.say(WELCOME, ATTACHED);
      await advance(10_000);
    }
    expect(opened()[0]).toBe(1);
    await rig.welcome();
    expect([rig.client.state.transport, rig.notes.get(name)]).toEqual(["ws", "ws"]);
  });

  it("is followed by the others where it does not work any more", async () => {
    const { opened, advance } = await begun({}, new Map([[name, "sse"]]));
    await advance(1_000);
    expect(opened()).toEqual([1, 1, 0]);
    await advance(1_000);
    expect(opened()).toEqual([1, 1, 1]);
  });

  it("counts only where it is a transport of this client", async () => {
    const { opened } = await begun({}, new Map([[name, "pigeon"]]));
    expect(opened()).toEqual([1, 0, 0]);
  });
});

it("tries all better transports when it tries again, one after the other", async () => {
  const { http, rig, advance, opened } = await begun({ upgradeInterval: 5_000 }, undefined);
  rig.socket.close(1006);
  await settleStreams();
  http.requests[0]?.end();
  await settleStreams();
  http.requests[1]?.say(WELCOME, ATTACHED);
  await settleStreams();
  expect(rig.client.state.transport).toBe("poll");
  await advance(5_000);
  expect(opened()).toEqual([2, 1, 2]);
  rig.socket.close(1006);
  await settleStreams();
  expect(opened()).toEqual([2, 2, 2]);
  http.requests.at(-1)?.say(WELCOME, ATTACHED);
  await settleStreams();
  expect(rig.client.state.transport).toBe("sse");
});

describe("a token function", () => {
  it("that rejects is named as the reason, and is asked again with a backoff while no transport is opened", async () => {
    const failure = new Error("The session has ended.");
    let asked = 0;
    const { rig, states, advance, opened } = await begun({
      async token() {
        if (++asked < 3) throw failure;
        return "t";
      },
    });
    expect(rig.client.state).toEqual({
      status: "connecting",
      since: 0,
      reason: expect.objectContaining({
        code: "offline",
        message: "The token function gave no token.",
        cause: failure,
      }) as Error,
      retryAt: 250,
    });
    await advance(250);
    expect([asked, opened()]).toEqual([2, [0, 0, 0]]);
    expect(rig.client.state.retryAt).toBe(750);
    await advance(500);
    expect([asked, opened()]).toEqual([3, [1, 0, 0]]);
    expect(await rig.welcome()).toMatchObject([{ t: "hello", token: "t" }, { t: "attach" }]);
    expect(states.map(({ status, because }) => [status, because])).toEqual([
      ["connecting", undefined],
      ["connecting", undefined],
      ["live", undefined],
    ]);
  });

  it("that throws is named as the reason", async () => {
    const failure = new Error("no session");
    const thrown = await begun({
      token() {
        throw failure;
      },
    });
    expect(thrown.rig.client.state.reason).toMatchObject({ code: "offline", cause: failure });
  });

  it("that rejects while another transport is live does not make that one be blamed", async () => {
    let works = true;
    const { rig, http, advance } = await begun({
      transports: ["ws", "poll"],
      pingInterval: Infinity,
      async token() {
        if (!works) throw new Error("not now");
        return "t";
      },
    });
    rig.socket.close(1006);
    await settleStreams();
    http.requests[0]?.say(WELCOME, ATTACHED);
    await settleStreams();
    works = false;
    await advance(60_000);
    expect(rig.client.state).toMatchObject({
      status: "live",
      transport: "poll",
      because: { ws: "The WebSocket (1006) was lost." },
    });
    expect(rig.sockets).toHaveLength(1);
  });

  it("that is slow makes no transport be tried beside the first", async () => {
    let give = (_token: string): void => undefined;
    let asked = 0;
    const { rig, advance, opened } = await begun({
      token() {
        asked++;
        return new Promise((resolve) => (give = resolve));
      },
    });
    await advance(5_000);
    give("t");
    await settleStreams();
    expect([asked, opened()]).toEqual([1, [1, 0, 0]]);
    await rig.welcome();
    expect(rig.client.state).toEqual({ status: "live", since: 5_000, transport: "ws" });
  });

  it("that never answers is given up after openTimeout, and asked again", async () => {
    let asked = 0;
    const { rig, advance } = await begun({
      token() {
        asked++;
        return new Promise(() => undefined);
      },
    });
    await advance(10_000);
    expect(rig.client.state.reason).toMatchObject({
      message: "The token function gave no token.",
    });
    await advance(250);
    expect(asked).toBe(2);
  });

  it.each([undefined, null, ""])("that gives %o makes a connection without a token", async (nothing) => {
    for (const token of [nothing, () => nothing, async () => nothing]) {
      const { rig } = await begun({ token });
      expect((await rig.welcome())[0]).toEqual({ t: "hello", v: 1 });
    }
  });
});
