import { describe, expect, it } from "vitest";
import { attachedAt, createClientRig, EPOCH, messageAt, WELCOME } from "../testing/client-rig.ts";
import { createScriptedHttp, settleStreams } from "../testing/scripted-fetch.ts";
import type { ClientOptions } from "./client-types.ts";

const DRAIN = { t: "drain", within: 25_000 };

/** A client that reads a channel and is at message 8 when its server begins to drain. */
async function drained(options?: ClientOptions) {
  const rig = createClientRig(options);
  const states: string[] = [];
  const got: number[] = [];
  await rig.welcome();
  rig.client.on("state", ({ status }) => states.push(status));
  rig.client.channel("a").on("message", ({ offset }) => got.push(offset));
  rig.socket.say(attachedAt(1, 7), messageAt(8), DRAIN);
  rig.socket.take();
  await rig.settle();
  return { rig, states, got };
}

describe("a server that drains", () => {
  it("is left only when another connection was welcomed, at the same place and without a break [DRAIN-11]", async () => {
    const { rig, states, got } = await drained();
    const [old, next] = rig.sockets;
    expect(rig.sockets).toHaveLength(2);
    next?.open();
    old?.say(messageAt(9));
    expect(next?.take()).toContainEqual({ t: "attach", n: 1, channel: "a", since: `${EPOCH}:8` });
    expect(old?.closed).toBe(false);
    next?.say(WELCOME);
    expect(old?.closed).toBe(true);
    next?.say(attachedAt(1, 8), messageAt(9), messageAt(10));
    expect(got).toEqual([8, 9, 10]);
    expect(new Set(states)).toEqual(new Set(["live"]));
    // The watch of the new connection alone.
    expect(rig.clock.timers).toBe(1);
  });

  it("is published to no more once there is another connection, and what it has not answered is sent again [PUB-9, PUB-10]", async () => {
    const { rig } = await drained();
    const [old, next] = rig.sockets;
    const channel = rig.client.channel("a");
    const first = channel.publish("one");
    expect(old?.take()).toMatchObject([{ t: "publish", data: "one" }]);
    next?.open();
    next?.take();
    next?.say(WELCOME);
    const second = channel.publish("two");
    const sent = next?.take().filter(({ t }) => t === "publish");
    expect(sent).toMatchObject([{ data: "one" }, { data: "two" }]);
    next?.say(
      { t: "result", n: sent?.[0]?.n, position: `${EPOCH}:9`, duplicate: true },
      { t: "result", n: sent?.[1]?.n, position: `${EPOCH}:10` },
    );
    expect(await Promise.all([first, second])).toMatchObject([{ duplicate: true }, { duplicate: false }]);
  });

  it("refuses a channel that the next one is asked for at once", async () => {
    const { rig } = await drained();
    const [old, next] = rig.sockets;
    rig.client.channel("b").on("message", () => undefined);
    const { n } = old?.take().find(({ channel }) => channel === "b") ?? {};
    old?.say({ t: "error", n, code: "draining", message: "", remedy: "", retryAfter: 30 });
    next?.open();
    next?.take();
    next?.say(WELCOME);
    expect(next?.take()).toContainEqual({ t: "attach", n: 2, channel: "b" });
  });

  it("that says it again is not left twice", async () => {
    const { rig } = await drained();
    rig.sockets[0]?.say(DRAIN);
    await rig.settle();
    expect(rig.sockets).toHaveLength(2);
  });

  it("goes on being used while no other one takes the client, which tries again with backoff [DRAIN-11]", async () => {
    const { rig, states, got } = await drained();
    const [old] = rig.sockets;
    for (const wait of [250, 500, 1_000]) {
      rig.socket.close(1006);
      rig.clock.advance(wait - 1);
      await rig.settle();
      const count = rig.sockets.length;
      rig.clock.advance(1);
      await rig.settle();
      expect(rig.sockets).toHaveLength(count + 1);
    }
    rig.socket.open();
    rig.socket.say({ t: "error", code: "draining", message: "", remedy: "", retryAfter: 3 });
    rig.socket.close(4503);
    old?.say(messageAt(9));
    expect([got, states]).toEqual([[8, 9], []]);
    rig.clock.advance(3_000 + 2_000);
    await rig.welcome();
    expect(old?.closed).toBe(true);
    expect(rig.client.state.status).toBe("live");
  });

  it("that ends before another one was found is lost like any other", async () => {
    const { rig, states } = await drained();
    const [old] = rig.sockets;
    rig.socket.close(1006);
    old?.close(1001);
    rig.clock.advance(1_000);
    expect(await rig.welcome()).toContainEqual({ t: "attach", n: 1, channel: "a", since: `${EPOCH}:8` });
    expect(states).toEqual(["reconnecting", "live"]);
  });

  it("that ends while another connection is being opened is followed by that one", async () => {
    const { rig, states } = await drained();
    rig.sockets[0]?.close(1001);
    rig.clock.advance(3_000);
    await rig.welcome();
    expect([states, rig.sockets.length]).toEqual([["reconnecting", "live"], 2]);
  });

  it("is left once: the connection that took over stays", async () => {
    const { rig } = await drained();
    await rig.welcome();
    rig.clock.advance(20_000);
    await rig.settle();
    expect(rig.sockets).toHaveLength(2);
    rig.socket.say(DRAIN);
    await rig.settle();
    expect(rig.sockets).toHaveLength(3);
  });
});

it.each(["sse", "poll"] as const)(
  "a server that takes no other round over %s goes on with the present one, and is asked again when it said",
  async (transport) => {
    const http = createScriptedHttp();
    const rig = createClientRig({ transports: [transport], fetch: http.fetch });
    const got: number[] = [];
    rig.client.channel("a").on("message", ({ offset }) => got.push(offset));
    await settleStreams();
    http.requests[0]?.say(WELCOME, attachedAt(1, 7));
    await settleStreams();
    const present = http.requests.at(-1);
    rig.client.channel("b").on("message", () => undefined);
    rig.clock.advance(50);
    await settleStreams();
    const refused = http.requests.at(-1);
    refused?.refuse(503, { code: "draining", detail: "", retryAfter: 3 });
    await settleStreams();
    rig.client.channel("c").on("message", () => undefined);
    rig.clock.advance(2_999);
    await settleStreams();
    expect(http.requests.at(-1)).toBe(refused);
    present?.say(WELCOME, attachedAt(1, 7), messageAt(8));
    await settleStreams();
    expect([got, rig.client.state.status]).toEqual([[8], "live"]);
    // The jitter of the first backoff is added to the 3 s.
    rig.clock.advance(251);
    await settleStreams();
    expect(http.requests.at(-1)?.frames.map(({ channel }) => channel)).toEqual([undefined, "a", "b", "c"]);
  },
);

it.each(["sse", "poll"] as const)(
  "a server that drains is left over %s only when another connection was welcomed [DRAIN-11]",
  async (transport) => {
    const http = createScriptedHttp();
    const rig = createClientRig({ transports: [transport], fetch: http.fetch });
    const states: string[] = [];
    rig.client.channel("a").on("message", () => undefined);
    await settleStreams();
    http.requests[0]?.say(WELCOME, attachedAt(1, 7));
    await settleStreams();
    rig.client.on("state", ({ status }) => states.push(status));
    if (transport === "sse") http.requests[0]?.say(DRAIN);
    else http.requests[1]?.say(WELCOME, attachedAt(1, 7), DRAIN);
    await settleStreams();
    const next = http.requests.at(-1);
    expect(next?.frames).toContainEqual({ t: "attach", n: 1, channel: "a", since: `${EPOCH}:7` });
    const old = http.requests.slice(0, -1).at(-1);
    expect(old?.aborted).toBe(false);
    next?.say(WELCOME, attachedAt(1, 7));
    await settleStreams();
    expect(old?.aborted).toBe(true);
    expect(new Set(states)).toEqual(new Set(["live"]));
  },
);
