import { afterEach, describe, expect, it, vi } from "vitest";
import { createClientRig, WELCOME } from "../testing/client-rig.ts";
import { createScriptedHttp, settleStreams } from "../testing/scripted-fetch.ts";
import type { ClientOptions } from "./client-types.ts";
import { follow } from "./follow/index.ts";
import { createClient } from "./index.ts";
import { indexedDbOutbox } from "./indexed-db/index.ts";
import { globalRuntime } from "./runtime.ts";

const NUMBERS: (keyof ClientOptions)[] = [
  "baseDelay",
  "maxDelay",
  "fallbackDelay",
  "openTimeout",
  "stableAfter",
  "upgradeInterval",
  "pingInterval",
  "pongTimeout",
  "bufferedMessages",
  "bufferedBytes",
  "pendingPublishes",
  "pendingBytes",
  "publishTtl",
];
const OTHERS: (keyof ClientOptions)[] = [
  "transports",
  "token",
  "headers",
  "share",
  "outbox",
  "fetch",
  "WebSocket",
];
const URL = "http://127.0.0.1:9";

/** Options as a page without types may write them. */
const untyped = (name: string, value: unknown) => ({ [name]: value }) as Record<string, never>;

/** The times at which a client opens connections while each one is lost, during ten seconds. */
async function attempts(options: ClientOptions): Promise<number[]> {
  const rig = createClientRig(options);
  const times: number[] = [];
  while (rig.clock.now() < 10_000) {
    await rig.settle();
    if (rig.sockets.length > times.length) {
      times.push(rig.clock.now());
      rig.socket.close(1006);
    } else rig.clock.step(10_000 - rig.clock.now());
  }
  expect(rig.client.state.status).toBe("connecting");
  await rig.client.close();
  return times;
}

describe("an option of a client", () => {
  it.each([undefined, null])("that is %s counts as not given", async (nothing) => {
    const usual = await attempts({});
    for (const name of NUMBERS) expect([name, await attempts(untyped(name, nothing))]).toEqual([name, usual]);
    for (const name of OTHERS) {
      const client = createClient(URL, untyped(name, nothing));
      expect([name, client.state.status]).toEqual([name, "connecting"]);
      await client.close();
    }
  });

  it.each([Number.NaN, -1, "1000", true, 1n])("that is a number cannot be %s", (value) => {
    for (const name of NUMBERS)
      expect(() => createClient(URL, untyped(name, value))).toThrow(
        new TypeError(`Option ${name}: ${String(value)} is not a number from 0.`),
      );
  });

  it.each([0, Infinity, 2 ** 40])("that is %s makes no loop without a pause", async (value) => {
    for (const name of NUMBERS) {
      const { length } = await attempts(untyped(name, value));
      expect([name, length <= 210]).toEqual([name, true]);
    }
    const { length } = await attempts({ baseDelay: value, maxDelay: value });
    expect(length).toBeLessThan(210);
  });

  it("that is unknown is a TypeError with its name", () => {
    expect(() => createClient(URL, untyped("pingIntervall", 1000))).toThrow(
      /^Option pingIntervall: 1000 is not known\.$/,
    );
    expect(() => createClient(URL, untyped("tranports", ["ws"]))).toThrow(
      /^Option tranports: ws is not known\.$/,
    );
  });

  it("that names a transport takes only known ones", async () => {
    expect(() => createClient(URL, untyped("transports", ["websocket"]))).toThrow(
      /^Option transports: websocket is not available/,
    );
    const rig = createClientRig({ transports: [], fetch: createScriptedHttp().fetch });
    await rig.welcome();
    expect(rig.client.state.transport).toBe("ws");
  });

  it("that is a header of undefined or null is not sent", async () => {
    const sent: unknown[] = [];
    const client = createClient(URL, {
      transports: ["poll"],
      headers: { "X-Tenant": "7", "x-none": undefined, "x-null": null },
      fetch: (_url, init) => {
        sent.push(Object.fromEntries(new Headers(init?.headers)));
        return new Promise(() => undefined);
      },
    });
    await settleStreams();
    const type = "application/x-ndjson";
    expect(sent).toEqual([{ "x-tenant": "7", accept: type, "content-type": type }]);
    await client.close();
    expect(() => createClient(URL, { headers: { "not a name": "x" } })).toThrow(TypeError);
  });

  it("credentials is given to each request, and `omit` leaves out the WebSocket that would send cookies", async () => {
    const asked = async (options: ClientOptions) => {
      const sent: unknown[] = [];
      const http = createScriptedHttp();
      const fetch: typeof globalThis.fetch = (url, init) => {
        sent.push(init?.credentials);
        return http.fetch(url, init);
      };
      const rig = createClientRig({ transports: ["ws", "sse", "poll"], fetch, ...options });
      await settleStreams();
      const { length } = rig.sockets;
      if (length > 0) rig.socket.close(1006);
      await settleStreams();
      http.requests[0]?.refuse(502);
      await settleStreams();
      http.requests[1]?.say(WELCOME);
      await settleStreams();
      void rig.client
        .channel("a")
        .publish(1)
        .catch(() => undefined);
      await settleStreams();
      await rig.client.close();
      return { sockets: length, sent: [...new Set(sent)], requests: sent.length > 2 };
    };
    expect(await asked({})).toEqual({ sockets: 1, sent: [undefined], requests: true });
    for (const credentials of ["include", "same-origin"] as const)
      expect(await asked({ credentials })).toEqual({ sockets: 1, sent: [credentials], requests: true });
    expect(await asked({ credentials: "omit" })).toEqual({ sockets: 0, sent: ["omit"], requests: true });
    expect(() => createClient(URL, { transports: ["ws"], credentials: "omit" })).toThrow(TypeError);
  });

  it("that is a list of options may be null", async () => {
    const client = createClient(URL, null as unknown as ClientOptions);
    expect(client.state.status).toBe("connecting");
    await client.close();
  });
});

describe("a client that is live over its worst transport", () => {
  it.each([
    { upgradeInterval: Infinity, tries: 0 },
    { upgradeInterval: 0, tries: 61 },
  ])("tries others $tries times in a minute with an upgradeInterval of $upgradeInterval", async (given) => {
    const http = createScriptedHttp();
    const rig = createClientRig({
      transports: ["ws", "poll"],
      fetch: http.fetch,
      upgradeInterval: given.upgradeInterval,
      pingInterval: Infinity,
    });
    await settleStreams();
    rig.socket.close(1006);
    await settleStreams();
    http.requests[0]?.say(WELCOME);
    await settleStreams();
    expect(rig.client.state).toMatchObject({ status: "live", transport: "poll" });
    for (let second = 0; second < 60; second++) {
      rig.clock.advance(1_000);
      await settleStreams();
      if (!rig.socket.closed) rig.socket.close(1006);
      await settleStreams();
    }
    expect(rig.sockets.length - 1).toBeLessThanOrEqual(given.tries);
  });

  it.each([90_000, 2 ** 40, Infinity])(
    "asks for no more than a server gives with a pingInterval of %s",
    async (pingInterval) => {
      for (const transport of ["sse", "poll"] as const) {
        const http = createScriptedHttp();
        const rig = createClientRig({ transports: [transport], fetch: http.fetch, pingInterval });
        await settleStreams();
        http.requests[0]?.say(WELCOME);
        await settleStreams();
        const asked = http.requests.map(({ frames }) => frames[0]);
        expect(asked.at(-1)).toMatchObject(transport === "poll" ? { wait: 55 } : { quiet: 55 });
        await rig.client.close();
      }
    },
  );
});

describe("an option of a channel", () => {
  it("that is undefined or null changes nothing", async () => {
    const rig = createClientRig();
    const channel = rig.client.channel("a", { since: "earliest", maxRate: 5 });
    for (const nothing of [undefined, null])
      for (const name of ["since", "maxRate", "onGap", "keep"])
        rig.client.channel("a", untyped(name, nothing));
    channel.on("message", () => undefined);
    const frames = await rig.welcome();
    expect(frames).toContainEqual({ t: "attach", n: 1, channel: "a", since: "earliest", maxRate: 5 });
  });

  it("that is a maxRate of Infinity asks for every message", async () => {
    const rig = createClientRig();
    rig.client.channel("a", { maxRate: 5 });
    rig.client.channel("a", { maxRate: Infinity }).on("message", () => undefined);
    expect(await rig.welcome()).toContainEqual({ t: "attach", n: 1, channel: "a" });
  });

  it.each([
    ["maxRate", Number.NaN],
    ["maxRate", -1],
  ])("%s cannot be %s", (name, value) => {
    const { client } = createClientRig();
    expect(() => client.channel("a", untyped(name, value))).toThrow(
      new RegExp(`^Option ${name}: ${value} is not a number from 0`),
    );
  });
});

describe("an option of a publish", () => {
  it("that is undefined or null counts as not given", async () => {
    const rig = createClientRig();
    for (const nothing of [undefined, null]) {
      for (const name of ["key", "id", "kind", "ttl"])
        void rig.client
          .channel("a")
          .publish(1, untyped(name, nothing))
          .catch(() => undefined);
      void rig.client
        .channel("a")
        .publish(1, nothing as undefined)
        .catch(() => undefined);
    }
    const sent = await rig.welcome();
    expect(sent.filter(({ t }) => t === "publish")).toHaveLength(10);
    for (const frame of sent.slice(1)) {
      expect(frame).toMatchObject({ kind: "json", id: expect.stringMatching(/^.{22}$/) as string });
      expect(frame).not.toHaveProperty("key");
    }
    await rig.client.close();
  });

  it.each([
    ["ttl", Number.NaN],
    ["ttl", -1],
  ])("%s cannot be %s", async (name, value) => {
    const channel = createClientRig().client.channel("a");
    await expect(channel.publish(1, untyped(name, value))).rejects.toThrow(
      new RegExp(`^Option ${name}: ${value} is not a number from 0`),
    );
  });

  it("that is a ttl beyond all timers leaves the publish waiting", async () => {
    const rig = createClientRig();
    for (const ttl of [Infinity, 2 ** 40])
      void rig.client
        .channel("a")
        .publish(1, { ttl })
        .catch(() => undefined);
    rig.clock.advance(3_600_000);
    expect(rig.client.channel("a").pending).toHaveLength(2);
    await rig.client.close();
  });
});

describe("an option of what is followed", () => {
  const how = {
    snapshot: () => ({ state: 0, position: "0mhlk2v9q7xa:0" }),
    reduce: (sum: number) => sum,
  };

  it("that is undefined or null counts as not given", async () => {
    const { client } = createClientRig();
    for (const nothing of [undefined, null])
      for (const name of ["initial", "baseDelay", "maxDelay", "loadTimeout", "heldMessages"]) {
        const followed = follow(client, "a", { ...how, ...untyped(name, nothing) });
        expect(await followed.loaded()).toBe(0);
        followed.close();
      }
  });

  it.each([
    ["loadTimeout", Number.NaN],
    ["heldMessages", -1],
    ["snapshot", undefined],
    ["reduce", null],
    ["initail", 1],
  ])("%s cannot be %s", (name, value) => {
    const { client } = createClientRig();
    expect(() => follow(client, "a", { ...how, ...untyped(name, value) })).toThrow(
      new RegExp(`^Option.* ${name}.*: `),
    );
  });
});

describe("an option of an outbox", () => {
  it("is a default if it is undefined or null, and a TypeError if it is wrong", () => {
    const outbox = (name: string, value: unknown) => () => indexedDbOutbox({ [name]: value });
    for (const name of ["name", "onRestored", "onError", "storeTimeout"]) {
      expect(outbox(name, undefined)).not.toThrow();
      expect(outbox(name, null)).not.toThrow();
    }
    expect(outbox("storeTimeout", Number.NaN)).toThrow(/^Option storeTimeout: NaN is not a number from 0/);
    expect(outbox("onEror", () => undefined)).toThrow(/^Option onEror: .* is not known/);
  });
});

describe("the runtime's random bytes", () => {
  afterEach(() => void vi.unstubAllGlobals());

  it.each([undefined, {}])("are there if crypto is %o", (crypto) => {
    vi.stubGlobal("crypto", crypto);
    const ids = Array.from({ length: 100 }, () => globalRuntime.randomBytes().join(" "));
    expect(new Set(ids).size).toBe(100);
    expect(ids[0]?.split(" ")).toHaveLength(16);
  });
});

describe("the runtime's timer", () => {
  it.each([2 ** 31, 2 ** 40, Infinity])("of %s ms does not fire at once", async (ms) => {
    let fired = false;
    const stop = globalRuntime.after(ms, () => (fired = true));
    await new Promise<void>((resolve) => globalRuntime.after(5, resolve));
    stop();
    expect(fired).toBe(false);
  });
});
