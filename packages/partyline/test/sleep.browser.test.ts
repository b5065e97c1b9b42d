/** Pages that sleep, freeze, change their network or go into the browser's back/forward cache, in a real Chromium. */
import { type Browser, type BrowserContext, type CDPSession, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { chromiumOptions } from "../../../scripts/chromium.ts";
import type * as Client from "../src/client/index.ts";
import { type NetworkLine, openLine } from "../src/testing/network-line.ts";
import { type ClientPage, startClientPage } from "./support/client-page.ts";

/** What the page tells of its client. */
interface Told {
  readonly states: readonly string[];
  readonly texts: readonly string[];
  readonly gaps: number;
}

declare const partyline: typeof Client;
declare const told: { states: string[]; texts: string[]; gaps: number };

let browser: Browser;
let context: BrowserContext;
let page: Page;
let devtools: CDPSession;
let site: ClientPage;
let line: NetworkLine;
let published = 0;

beforeAll(async () => {
  browser = await chromium.launch(chromiumOptions());
});
afterAll(() => browser.close());

beforeEach(async () => {
  published = 0;
  site = await startClientPage();
  line = await openLine(site.port);
  context = await browser.newContext();
  page = await context.newPage();
  devtools = await context.newCDPSession(page);
});

afterEach(async () => {
  await context.close();
  await line.close();
  await site[Symbol.asyncDispose]();
});

/** Opens the page, whose client is live over this transport when it resolves. */
async function open(transport: "ws" | "sse" | "poll"): Promise<void> {
  await page.goto(`http://127.0.0.1:${line.port}/?${transport}`);
  await page.evaluate((name) => {
    const client = partyline.createClient("/", { transports: [name] });
    const channel = client.channel<string>("a");
    const all: Told & { states: string[]; texts: string[]; gaps: number } = {
      states: [],
      texts: [],
      gaps: 0,
    };
    Object.assign(globalThis, { told: all });
    client.on("state", ({ status }) => all.states.push(status));
    channel.on("message", ({ data }) => all.texts.push(data));
    channel.on("gap", () => all.gaps++);
  }, transport);
  await page.waitForFunction(() => told.states.at(-1) === "live");
  await publish();
  await heardAll();
}

async function publish(): Promise<void> {
  await site.server.channel("a").publish(`${++published}`);
}

/** Waits until the page has all there is; it is in order then, each once, and no gap was told. */
async function heardAll(): Promise<void> {
  await page.waitForFunction((count) => told.texts.length >= count, published);
  const { texts, gaps } = await page.evaluate(() => told);
  expect(texts).toEqual(Array.from({ length: published }, (_, n) => `${n + 1}`));
  expect(gaps).toBe(0);
}

/** Freezes the page as Chromium does with a tab that was hidden for long: its timers and its network tasks stop. */
async function freeze(): Promise<void> {
  await devtools.send("Page.setWebLifecycleState", { state: "frozen" });
}

async function thaw(): Promise<void> {
  await devtools.send("Page.setWebLifecycleState", { state: "active" });
}

describe.each(["ws", "sse", "poll"] as const)("a page over %s", (transport) => {
  it("that was frozen goes on with what came meanwhile", async () => {
    await open(transport);
    await freeze();
    for (let n = 0; n < 5; n++) await publish();
    await thaw();
    await heardAll();
  });
});
