/** Publishes that survive their page, in a real Chromium with its IndexedDB and its Web Locks. */
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { chromiumOptions } from "../../../scripts/chromium.ts";
import { type NetworkLine, openLine } from "../src/testing/network-line.ts";
import { type ClientPage, startClientPage } from "./support/client-page.ts";
import type * as StoredClient from "./support/stored-client/index.ts";

// Globals of the page.
declare const partyline: typeof StoredClient;
declare const client: StoredClient.Client;
declare const told: { restored: string[]; dropped: string[]; errors: string[]; duplicates: number };

let browser: Browser;
let context: BrowserContext;
let site: ClientPage;
/** From the pages' clients to the server; the pages themselves come past it. */
let line: NetworkLine;

beforeAll(async () => {
  browser = await chromium.launch(chromiumOptions());
});
afterAll(() => browser.close());

beforeEach(async () => {
  site = await startClientPage({ origins: ["*"] }, 0, ["../test/support/stored-client/index.ts"]);
  line = await openLine(site.port);
  context = await browser.newContext();
});
afterEach(async () => {
  await context.close();
  await line.close();
  await site[Symbol.asyncDispose]();
});

/** Makes the page's client. */
async function start(page: Page): Promise<void> {
  await page.waitForFunction(() => "partyline" in globalThis);
  await page.evaluate((url) => {
    const all: typeof told = { restored: [], dropped: [], errors: [], duplicates: 0 };
    const made = partyline.createClient(url, {
      transports: ["ws"],
      baseDelay: 10,
      maxDelay: 100,
      outbox: partyline.indexedDbOutbox({
        onRestored: (publishes) => all.restored.push(...publishes.map(({ data }) => String(data))),
        onError: (error) => all.errors.push(String((error as Error).cause)),
      }),
    });
    made.on("dropped", ({ publish, reason }) => {
      all.dropped.push(`${String(publish.data)}: ${reason?.code}`);
    });
    Object.assign(globalThis, { client: made, told: all });
  }, `http://127.0.0.1:${line.port}`);
}

async function open(): Promise<Page> {
  const page = await context.newPage();
  await page.goto(site.url);
  await start(page);
  return page;
}

async function reload(page: Page): Promise<void> {
  await page.reload();
  await start(page);
}

/** Publishes, and waits until so many of the browser's publishes are kept. */
async function publish(page: Page, texts: readonly string[], kept: number): Promise<void> {
  await page.evaluate((all) => {
    for (const text of all)
      client
        .channel("a")
        .publish(text)
        .then(
          ({ duplicate }) => void (told.duplicates += Number(duplicate)),
          () => undefined,
        );
  }, texts);
  await untilKept(page, kept);
}

async function untilKept(page: Page, count: number): Promise<void> {
  await eventually(() => page.evaluate(countKept)).toBe(count);
}

/** In the page: the publishes in all of the origin's databases. */
async function countKept(): Promise<number> {
  const answer = <T>(request: IDBRequest<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(new Error("The database does not answer."));
    });
  let sum = 0;
  for (const { name = "" } of await indexedDB.databases()) {
    const database = await answer(indexedDB.open(name));
    if (database.objectStoreNames.contains("publishes"))
      sum += await answer(database.transaction("publishes").objectStore("publishes").count());
    database.close();
  }
  return sum;
}

/** A loaded machine and a browser's own pace take time. */
function eventually<T>(get: () => T): ReturnType<typeof expect.poll<T>> {
  return expect.poll(get, { timeout: 20_000 });
}

const stored = async (): Promise<unknown[]> =>
  (await site.server.channel("a").history({ since: "earliest", limit: 1000 })).messages.map(
    ({ data }) => data,
  );
const live = async (page: Page): Promise<void> => {
  await page.waitForFunction(() => client.state.status === "live");
};
const pendingOf = (page: Page): Promise<string[]> =>
  page.evaluate(() => client.channel("a").pending.map(({ data }) => String(data)));

describe("a page that keeps its publishes", () => {
  it("sends those that it made without a network after a reload, once and in order", async () => {
    const page = await open();
    await live(page);
    line.unplug();
    await publish(page, ["1", "2", "3"], 3);
    await reload(page);
    await publish(page, ["4", "5"], 5);
    expect(await pendingOf(page)).toEqual(["1", "2", "3", "4", "5"]);
    await reload(page);
    await publish(page, ["6"], 6);
    line.mend();
    await untilKept(page, 0);
    expect(await stored()).toEqual(["1", "2", "3", "4", "5", "6"]);
    expect(await page.evaluate(() => told)).toMatchObject({
      restored: ["1", "2", "3", "4", "5"],
      dropped: [],
      errors: [],
    });
  });

  it("has stored once what it sent before a reload without hearing the answer", async () => {
    const page = await open();
    await live(page);
    line.blackhole("down");
    await publish(page, ["1", "2"], 2);
    await eventually(stored).toEqual(["1", "2"]);
    await reload(page);
    line.cut();
    line.mend();
    await publish(page, ["3"], 0);
    expect(await stored()).toEqual(["1", "2", "3"]);
    expect(await page.evaluate(() => told)).toMatchObject({ restored: ["1", "2"], dropped: [], errors: [] });
  });

  it("leaves alone what another tab has, until that has crashed", async () => {
    line.unplug();
    const one = await open();
    await publish(one, ["a1", "a2"], 2);
    const other = await open();
    await publish(other, ["b1"], 3);
    await reload(other);
    await untilPending(other, ["b1"]);
    const session = await context.newCDPSession(one);
    const crashed = one.waitForEvent("crash");
    // Its answer never comes.
    session.send("Page.crash").catch(() => undefined);
    await crashed;
    await untilPending(other, ["b1", "a1", "a2"]);
    line.mend();
    await untilKept(other, 0);
    const all = await stored();
    expect(all.filter((text) => String(text).startsWith("a"))).toEqual(["a1", "a2"]);
    expect(new Set(all)).toEqual(new Set(["a1", "a2", "b1"]));
    expect(all).toHaveLength(3);
  });

  it("is taken up by the next tab, and by one alone, where it was closed", async () => {
    line.unplug();
    const one = await open();
    await publish(one, ["1", "2"], 2);
    await one.close();
    const [second, third] = await Promise.all([open(), open()]);
    line.mend();
    await untilKept(second, 0);
    const restored = [
      ...(await second.evaluate(() => told.restored)),
      ...(await third.evaluate(() => told.restored)),
    ];
    expect(restored).toEqual(["1", "2"]);
    expect(await stored()).toEqual(["1", "2"]);
  });

  it("publishes all the same where the browser has no place for it", async () => {
    await context.addInitScript(() => {
      IDBFactory.prototype.open = () => {
        throw new DOMException("Not in a private window.", "SecurityError");
      };
    });
    const page = await open();
    await page.evaluate(() => client.channel("a").publish("1"));
    expect(await stored()).toEqual(["1"]);
    expect(await page.evaluate(() => told.errors)).toEqual(["SecurityError: Not in a private window."]);
  });
});

async function untilPending(page: Page, texts: readonly string[]): Promise<void> {
  await eventually(() => pendingOf(page)).toEqual(texts);
}
