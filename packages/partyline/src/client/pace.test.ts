import { describe, expect, it } from "vitest";
import { createClientRig, WELCOME } from "../testing/client-rig.ts";
import { createScriptedHttp, settleStreams } from "../testing/scripted-fetch.ts";
import { nextPace, type Pace } from "./pace.ts";

const NORMAL = 25_000;

function after(...silences: (number | undefined)[]): number {
  const pace = silences.reduce<Pace>((before, silence) => nextPace(before, NORMAL, silence), {
    interval: NORMAL,
  });
  return pace.interval;
}

describe("the pace", () => {
  it("is the normal one after one connection that died in silence", () => {
    expect(after(10_000)).toBe(NORMAL);
  });

  it("stays below the age at which two died, one after the other", () => {
    expect(after(10_000, 10_400)).toBe(6_240);
  });

  it("stays normal where the ages differ, or the other one did not die in silence", () => {
    expect(after(10_000, 17_000)).toBe(NORMAL);
    expect(after(10_000, undefined, 10_000)).toBe(NORMAL);
    expect(after(10_000, 300, 10_000)).toBe(NORMAL);
  });

  it("is kept while connections end otherwise", () => {
    expect(after(10_000, 10_000, undefined, 100, undefined)).toBe(6_000);
  });

  it("goes further down where they die at the new pace as well, as when no end is told", () => {
    expect(after(25_000, 25_000, 15_000)).toBe(15_000);
    expect(after(25_000, 25_000, 15_000, 15_000)).toBe(9_000);
  });

  it("is normal again when two die at different ages: that was not the reason", () => {
    expect(after(10_000, 10_000, 3_000, 5_000)).toBe(NORMAL);
  });

  it("is never slower than normal", () => {
    expect(after(90_000, 90_000)).toBe(NORMAL);
  });
});

describe("a client whose connections die after 10 s of silence", () => {
  it("pings a WebSocket earlier from the third on", async () => {
    const rig = createClientRig();
    for (let time = 0; time < 2; time++) {
      await rig.welcome();
      rig.clock.advance(10_000);
      rig.socket.close(1006);
      rig.clock.advance(1_000);
    }
    await rig.welcome();
    rig.clock.advance(5_999);
    expect(rig.socket.take()).toEqual([]);
    rig.clock.advance(1);
    expect(rig.socket.take()).toEqual([{ t: "ping", n: 1 }]);
  });

  it.each([1001, 4503])("keeps its pace where the server told that it ends (%i)", async (code) => {
    const rig = createClientRig();
    for (let time = 0; time < 3; time++) {
      await rig.welcome();
      rig.clock.advance(10_000);
      rig.socket.close(code);
      rig.clock.advance(1_000);
    }
    await rig.welcome();
    rig.clock.advance(24_999);
    expect(rig.socket.take()).toEqual([]);
  });

  it("takes a machine that slept for no reason", async () => {
    const rig = createClientRig();
    for (let time = 0; time < 2; time++) {
      await rig.welcome();
      rig.clock.advance(10_000);
      rig.page.wake();
      rig.clock.advance(2_000);
    }
    await rig.welcome();
    rig.clock.advance(24_999);
    expect(rig.socket.take()).toEqual([]);
  });

  it("begins a new stream earlier, and lets it take over", async () => {
    const http = createScriptedHttp();
    const rig = createClientRig({ transports: ["sse"], fetch: http.fetch });
    for (let time = 0; time < 2; time++) {
      await settleStreams();
      http.requests.at(-1)?.say(WELCOME);
      await settleStreams();
      rig.clock.advance(10_000);
      http.requests.at(-1)?.end();
      await settleStreams();
      rig.clock.advance(1_000);
    }
    await settleStreams();
    const third = http.requests.at(-1);
    third?.say(WELCOME);
    await settleStreams();
    rig.clock.advance(6_000);
    await settleStreams();
    http.requests.at(-1)?.say(WELCOME);
    await settleStreams();
    expect([http.requests.length, third?.aborted, rig.client.state.status]).toEqual([4, true, "live"]);
  });

  it.each([
    { transport: "sse", asked: "quiet", what: "streams that are silent for less long [LIVE-6]" },
    { transport: "poll", asked: "wait", what: "shorter polls" },
  ] as const)("asks for $what", async ({ transport, asked }) => {
    const http = createScriptedHttp();
    const rig = createClientRig({ transports: [transport], fetch: http.fetch });
    const seconds: unknown[] = [];
    for (let time = 0; time < 3; time++) {
      await settleStreams();
      http.requests.at(-1)?.say(WELCOME);
      await settleStreams();
      seconds.push(http.requests.at(-1)?.frames[0]?.[asked]);
      rig.clock.advance(10_000);
      http.requests.at(-1)?.end();
      await settleStreams();
      rig.clock.advance(1_000);
    }
    expect(seconds).toEqual([20, 20, 4.8]);
  });
});
