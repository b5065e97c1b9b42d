/** Pages that are hidden, freeze, sleep, change their network or go into the back/forward cache, in a real Chromium. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type * as Client from "../src/client/index.ts";
import { type NetworkLine, openLine } from "../src/testing/network-line.ts";
import { openTabs, type Tab, type Tabs } from "./support/chromium-tabs.ts";
import { type ClientPage, startClientPage } from "./support/client-page.ts";

// Globals of the page.
declare const partyline: typeof Client;
declare const told: { states: string[]; texts: string[]; gaps: number };

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
async function open(transport: string): Promise<void> {
  tab = await tabs.open(`http://127.0.0.1:${line.port}/`);
  await tab.until(() => "partyline" in globalThis, undefined);
  await tab.evaluate((name) => {
    const client = partyline.createClient("/", { transports: [name as Client.TransportName] });
    const channel = client.channel<string>("a");
    const all: typeof told = { states: [], texts: [], gaps: 0 };
    Object.assign(globalThis, { told: all });
    client.on("state", ({ status }) => all.states.push(status));
    channel.on("message", ({ data }) => all.texts.push(data));
    channel.on("gap", () => all.gaps++);
  }, transport);
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

/** Hides the page behind another one, and freezes it, as Chromium does after some minutes. */
async function freeze(): Promise<void> {
  await other.show();
  await tab.until(() => document.visibilityState === "hidden", undefined);
  await tab.freeze();
}

async function wake(): Promise<void> {
  await tab.thaw();
  await tab.show();
  await tab.until(() => document.visibilityState === "visible", undefined);
}

describe.each(["ws", "sse", "poll"] as const)("a page over %s", (transport) => {
  it("that was frozen goes on with what came meanwhile", async () => {
    await open(transport);
    await freeze();
    for (let n = 0; n < 5; n++) await publish();
    await wake();
    await heardAll();
  });
});
