/** Pages that are hidden, freeze, sleep, change their network or go into the back/forward cache, in a real Chromium. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type * as Client from "../src/client/index.ts";
import { type NetworkLine, openLine } from "../src/testing/network-line.ts";
import { openTabs, type Tab, type Tabs } from "./support/chromium-tabs.ts";
import { type ClientPage, startClientPage } from "./support/client-page.ts";

// Globals of the page.
declare const partyline: typeof Client;
declare const told: { states: string[]; texts: string[]; gaps: number; pings: number };
declare const skew: { ms: number };

let tabs: Tabs;
let tab: Tab;
/** Before which the other tab is hidden. */
let other: Tab;
let site: ClientPage;
let line: NetworkLine;
let published = 0;

beforeAll(async () => {
  tabs = await openTabs();
  other = await tabs.open("about:blank");
});
afterAll(() => tabs[Symbol.asyncDispose]());

beforeEach(async () => {
  published = 0;
  site = await startClientPage();
  line = await openLine(site.port);
});

afterEach(async () => {
  await tab.close();
  await line.close();
  await site[Symbol.asyncDispose]();
});

/** Opens the page, whose client is live over this transport when it resolves. */
async function open(transport: Client.TransportName, options: Client.ClientOptions = {}): Promise<void> {
  tab = await tabs.open(`http://127.0.0.1:${line.port}/`);
  await tab.until(() => "partyline" in globalThis, undefined);
  await tab.evaluate(
    (how) => {
      // A machine can't be put to sleep here, but its clocks can show that it was.
      const sleep: typeof skew = { ms: 0 };
      const [time, now] = [Date.now, performance.now.bind(performance)];
      Date.now = () => time() + sleep.ms;
      performance.now = () => now() + sleep.ms;
      const all: typeof told = { states: [], texts: [], gaps: 0, pings: 0 };
      const watched = class extends WebSocket {
        override send(data: string): void {
          if (data.includes('"ping"')) all.pings++;
          super.send(data);
        }
      };
      Object.assign(globalThis, { told: all, skew: sleep });
      const client = partyline.createClient("/", { ...how, WebSocket: watched });
      const channel = client.channel<string>("a");
      client.on("state", ({ status }) => all.states.push(status));
      channel.on("message", ({ data }) => all.texts.push(data));
      channel.on("gap", () => all.gaps++);
    },
    { ...options, transports: [transport] },
  );
  await tab.until(() => told.states.at(-1) === "live", undefined);
  await publish();
  await heardAll();
}

async function publish(): Promise<void> {
  await site.server.channel("a").publish(`${++published}`);
}

/** Waits until the page has all there is; it is in order then, each once, and no gap was told. */
async function heardAll(): Promise<void> {
  await tab.until((count) => told.texts.length >= count, published);
  const { texts, gaps } = await tab.evaluate(() => told, undefined);
  expect(texts).toEqual(Array.from({ length: published }, (_, n) => `${n + 1}`));
  expect(gaps).toBe(0);
}

/** Hides the page behind another one. */
async function hide(): Promise<void> {
  await other.show();
  await tab.until(() => document.visibilityState === "hidden", undefined);
}

async function show(): Promise<void> {
  await tab.show();
  await tab.until(() => document.visibilityState === "visible", undefined);
}

/**
 * The connection dies without a word to either end; a new one comes through. Messages are lost on the dead one before
 * this resolves.
 */
async function loseConnection(): Promise<void> {
  line.blackhole();
  const response = await fetch(`${site.url}channels/a`, { headers: { accept: "text/event-stream" } });
  const reader = response.body?.getReader();
  await reader?.read();
  await publish();
  await publish();
  // When they have come by another way, they are on theirs to the page, too: the line takes them in the next turns.
  const decoder = new TextDecoder();
  for (let text = ""; !text.includes(`data: ${published}\n`);)
    text += decoder.decode((await reader?.read())?.value, { stream: true });
  await reader?.cancel();
  for (let turns = 0; turns < 100; turns++) await new Promise((resolve) => setImmediate(resolve));
  line.mend();
}

/** What the state was, from now on. */
const forgetStates = (): Promise<void> => tab.evaluate(() => void (told.states.length = 0), undefined);
const doubted = (): Promise<void> => tab.until(() => told.states[0] === "suspect", undefined);

async function liveAgain(): Promise<void> {
  await heardAll();
  await tab.until(() => told.states.at(-1) === "live", undefined);
}

describe.each(["ws", "sse", "poll"] as const)("a page over %s", (transport) => {
  it("whose connection died while it was hidden doubts it at once, and is live again with the difference", async () => {
    await open(transport);
    await hide();
    await loseConnection();
    await forgetStates();
    await show();
    await doubted();
    await liveAgain();
  });

  it("that was frozen, which cuts its connections, is live again with the difference", async () => {
    await open(transport);
    await hide();
    await tab.freeze();
    for (let n = 0; n < 5; n++) await publish();
    await tab.thaw();
    await show();
    await liveAgain();
  });

  it("that slept for five minutes, as its clocks say, doubts its connection and is live again", async () => {
    await open(transport);
    await loseConnection();
    await forgetStates();
    await tab.evaluate(() => void (skew.ms += 300_000), undefined);
    await doubted();
    await liveAgain();
  });

  it("goes on at another address", async () => {
    await open(transport);
    await loseConnection();
    await forgetStates();
    await tab.setOffline(true);
    await tab.setOffline(false);
    await liveAgain();
  });

  it("comes back from the back/forward cache with what came meanwhile", async () => {
    await open(transport);
    await tab.goTo(`${site.url}?elsewhere`);
    await publish();
    await tab.back();
    // It is the same page: one that was loaded anew would have heard nothing.
    await liveAgain();
  });
});

it("keeps the connection of a hidden page, however late its timers are", async () => {
  // Shorter than the second that Chromium lets pass between two timers of a hidden page.
  await open("ws", { pingInterval: 300, pongTimeout: 200 });
  await hide();
  await forgetStates();
  const asked = await tab.evaluate(() => told.pings, undefined);
  await tab.until((before) => told.pings >= before + 4, asked);
  await publish();
  await heardAll();
  expect(await tab.evaluate(() => told.states, undefined)).toEqual([]);
  expect(site.server.counters().connections).toEqual({ websocket: 1 });
});
