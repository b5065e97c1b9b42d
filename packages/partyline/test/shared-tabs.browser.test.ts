/** Tabs of one browser that share a connection, in a real Chromium, over HTTP/1.1. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type * as Client from "../src/client/index.ts";
import { openTabs, type Tab, type Tabs } from "./support/chromium-tabs.ts";
import { type ClientPage, startClientPage } from "./support/client-page.ts";
import { until } from "./support/until.ts";

// Globals of the page.
declare const partyline: typeof Client;
declare const told: { texts: string[]; gaps: number };
declare const client: Client.Client;

let browser: Tabs;
let site: ClientPage;
let tabs: Tab[];
let published = 0;

beforeAll(async () => {
  browser = await openTabs();
});
afterAll(() => browser[Symbol.asyncDispose]());

beforeEach(async () => {
  published = 0;
  tabs = [];
  site = await startClientPage();
});

afterEach(async () => {
  for (const tab of tabs) await tab.close();
  await site[Symbol.asyncDispose]();
});

/** Opens tabs that read the channel, and are live when it resolves. */
async function open(count: number, options: Client.ClientOptions = { share: true }): Promise<Tab[]> {
  const opened = await Promise.all(Array.from({ length: count }, () => browser.open(site.url)));
  tabs.push(...opened);
  await Promise.all(
    opened.map(async (tab) => {
      await tab.until(() => "partyline" in globalThis, undefined);
      await tab.evaluate(
        (how) => {
          const all: typeof told = { texts: [], gaps: 0 };
          const made = partyline.createClient("/", how);
          Object.assign(globalThis, { told: all, client: made });
          const channel = made.channel<string>("a");
          channel.on("message", ({ data }) => all.texts.push(data));
          channel.on("gap", () => all.gaps++);
        },
        { transports: ["sse" as const], ...options },
      );
      await tab.until(() => client.channel("a").state.status === "attached", undefined);
    }),
  );
  return opened;
}

async function publish(count: number): Promise<void> {
  for (let n = 0; n < count; n++) await site.server.channel("a").publish(`${++published}`);
}

/** Waits until each of these has all there is: in order, each once, and no gap was told. */
async function heardAll(readers: readonly Tab[]): Promise<void> {
  for (const tab of readers) {
    await tab.until((last) => told.texts.at(-1) === last, `${published}`);
    const { texts, gaps } = await tab.evaluate(() => told, undefined);
    expect(texts).toEqual(Array.from({ length: published }, (_, n) => `${n + 1}`));
    expect(gaps).toBe(0);
  }
}

const roleOf = (tab: Tab): Promise<unknown> => tab.evaluate(() => client.state.shared, undefined);

/** The leader first, as soon as there is one: what one that crashes has passed on, the others have before that. */
async function byRole(readers: readonly Tab[]): Promise<[Tab, ...Tab[]]> {
  let roles: unknown[] = [];
  while (!roles.includes("leader")) roles = await Promise.all(readers.map(roleOf));
  const leaders = readers.filter((_, index) => roles[index] === "leader");
  expect(leaders).toHaveLength(1);
  expect(roles.filter((role) => role === "follower")).toHaveLength(readers.length - 1);
  return [leaders[0] as Tab, ...readers.filter((_, index) => roles[index] === "follower")];
}

const oneConnection = (): Promise<void> => until(() => site.server.connections === 1);

describe("ten tabs over SSE", () => {
  it("have one connection, and each gets every message", async () => {
    await open(10);
    await publish(30);
    await heardAll(tabs);
    await byRole(tabs);
    await oneConnection();
    expect(await tabs[9]?.evaluate(() => client.state.transport, undefined)).toBe("sse");
  });

  it.each(["is closed", "crashes"])("go on, and lose nothing, when the one that leads %s", async (way) => {
    await open(10);
    await publish(5);
    await heardAll(tabs);
    const [leader, ...others] = await byRole(tabs);
    if (way === "crashes") leader.crash();
    else await leader.close();
    tabs = others;
    await publish(5);
    await heardAll(others);
    await byRole(others);
    await oneConnection();
  });
});

describe("tabs that share", () => {
  it("publish in their own order, each with its own results", async () => {
    await open(3);
    const results = await Promise.all(
      tabs.map((tab, index) =>
        tab.evaluate(async (name) => {
          const texts = Array.from({ length: 20 }, (_, n) => `${name}: ${n}`);
          const stored = await Promise.all(texts.map((text) => client.channel("a").publish(text)));
          return texts.map((text, n) => ({ text, offset: Number(stored[n]?.position.split(":")[1]) }));
        }, index),
      ),
    );
    for (const tab of tabs) await tab.until(() => told.texts.length === 60, undefined);
    const texts = await tabs[0]?.evaluate(() => told.texts, undefined);
    for (const own of results) {
      const offsets = own.map(({ offset }) => offset);
      expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
      expect(own.map(({ offset }) => texts?.[offset - 1])).toEqual(own.map(({ text }) => text));
    }
  });

  it("receive a message that is nested too deep to be handed over as a value, and what follows it", async () => {
    await open(3);
    for (const levels of [6_000, 32_000]) {
      const data = new TextEncoder().encode("[".repeat(levels) + "]".repeat(levels));
      const url = new URL("/channels/a", site.url);
      const stored = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: data,
      });
      expect(stored.status).toBe(201);
    }
    for (const tab of tabs) {
      await tab.until(() => told.texts.length === 2, undefined);
      const depths = await tab.evaluate(
        () =>
          told.texts.splice(0).map((data) => {
            let depth = 0;
            for (let value: unknown = data; Array.isArray(value); value = value[0]) depth++;
            return depth;
          }),
        undefined,
      );
      expect(depths).toEqual([6_000, 32_000]);
    }
    await publish(2);
    await heardAll(tabs);
    await byRole(tabs);
    await oneConnection();
  });

  it("leave the one that leads alone when it is frozen, and take it back when it is not", async () => {
    await open(3);
    await publish(2);
    await heardAll(tabs);
    const [leader, ...others] = await byRole(tabs);
    await others[0]?.show();
    await leader.until(() => document.visibilityState === "hidden", undefined);
    await leader.freeze();
    await publish(2);
    await heardAll(others);
    await leader.thaw();
    await leader.show();
    await publish(2);
    await heardAll(tabs);
    await leader.until(() => client.state.shared === "follower", undefined);
    await byRole(tabs);
    await oneConnection();
  });

  it("go on when the one that leads goes to another page, and take it back from the back/forward cache", async () => {
    await open(3);
    await publish(1);
    await heardAll(tabs);
    const [leader, ...others] = await byRole(tabs);
    await leader.goTo(`${site.url}?elsewhere`);
    await publish(1);
    await heardAll(others);
    await leader.back();
    await leader.until(() => "told" in globalThis, undefined);
    await publish(1);
    await heardAll(tabs);
    expect(await roleOf(leader)).toBe("follower");
    await oneConnection();
  });

  it("change the transport of all, whichever asks", async () => {
    await open(3, { share: true, transports: ["sse", "ws"] });
    const [, follower] = await byRole(tabs);
    await follower?.evaluate(() => client.switchTransport("ws"), undefined);
    for (const tab of tabs) await tab.until(() => client.state.transport === "ws", undefined);
    await publish(5);
    await heardAll(tabs);
    await oneConnection();
  });

  it("are of one identity: who has another token has another connection", async () => {
    const ada = await open(2, { share: true, token: "ada" });
    const grace = await open(2, { share: true, token: "grace" });
    await publish(3);
    await heardAll(tabs);
    await byRole(ada);
    await byRole(grace);
    await until(() => site.server.connections === 2);
  });
});
