import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { chain, hosts, listen, serveFiles } from "example-site";
import { createPartyline } from "partyline";
import { type NetworkLine, openLine } from "partyline/testing";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { eventually, needBuild, openWindows, type Windows } from "../../site/test/browser.ts";
import { channels, createScores, folders } from "../src/app.ts";

needBuild(join(import.meta.dirname, ".."));

let windows: Windows;
let show: Awaited<ReturnType<typeof startScores>>;
let line: NetworkLine;

/** The scores with a clock of the test's own: nothing happens but what `pass` lets happen. */
async function startScores(port = 0) {
  let now = 0;
  const server = createPartyline({ hosts, channels });
  const scores = createScores(server, () => now);
  const http = createServer(chain(scores.api, serveFiles(folders)));
  server.attach(http);
  const url = await listen(http, port);
  return {
    url,
    port: (http.address() as AddressInfo).port,
    replay: scores.replay,
    /** Lets minutes of the replay pass, at sixty times the pace of life. */
    pass(minutes: number) {
      now += minutes * 1000;
      scores.replay.tick();
    },
    async close() {
      await server.close();
      http.close();
      http.closeAllConnections();
    },
  };
}

async function visit(url: string): Promise<Page> {
  const { page } = await windows.open(`${url}/scores/`, keepSpoken);
  await live(page);
  return page;
}

/** Keeps what the live region said, which stands there only until the next goal. */
function keepSpoken(): void {
  const texts: string[] = [];
  Object.assign(globalThis, { spoken: texts });
  addEventListener("DOMContentLoaded", () => {
    const region = document.getElementById("announcements");
    if (region !== null)
      new MutationObserver(() => texts.push(region.textContent)).observe(region, { childList: true });
  });
}

function spoken(page: Page): Promise<string[]> {
  return page.evaluate(() => (globalThis as unknown as { spoken: string[] }).spoken);
}

async function live(page: Page): Promise<void> {
  await page.locator('#status[data-state="live"]').waitFor();
}

/** Feeds by match, the newest line first, as they are read. */
async function feeds(page: Page): Promise<Record<string, string[]>> {
  const cards = await page.locator(".match").all();
  const entries = cards.map(async (card) => {
    const names = await card.locator(".name").allTextContents();
    const lines = await card.locator(".feed li").allInnerTexts();
    return [names.join(" – "), lines.map((text) => text.replace(/\s+/g, " "))] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

const opening = {
  "Mexico – South Africa": ["9′ Julián Quiñones 1–0", "Kick-off"],
  "South Korea – Czech Republic": ["Kick-off"],
};
const whole = {
  "Mexico – South Africa": [
    "Full time 2–0",
    "67′ Raúl Jiménez 2–0",
    "Half-time 1–0",
    "9′ Julián Quiñones 1–0",
    "Kick-off",
  ],
  "South Korea – Czech Republic": [
    "Full time 2–1",
    "80′ Oh Hyeon-Gyu 2–1",
    "67′ Hwang In-Beom 1–1",
    "59′ Ladislav Krejcí 0–1",
    "Half-time 0–0",
    "Kick-off",
  ],
};

beforeAll(async () => {
  windows = await openWindows();
});

afterAll(() => windows.end());

beforeEach(async () => {
  show = await startScores();
  show.replay.start("2026-06-11");
  line = await openLine(show.port);
});

afterEach(async () => {
  await windows.closeAll();
  await line.close();
  await show.close();
});

describe("the scores", () => {
  it("are followed by two windows alike, each goal once", async () => {
    const one = await visit(line.url);
    const two = await visit(show.url);
    show.pass(10);
    await eventually(() => feeds(one)).toEqual(opening);
    await eventually(() => feeds(two)).toEqual(opening);
    show.pass(120);
    await eventually(() => feeds(one)).toEqual(whole);
    await eventually(() => feeds(two)).toEqual(whole);
  });

  it("miss no goal that fell while the line was cut, and show none twice", async () => {
    const one = await visit(line.url);
    const two = await visit(show.url);
    show.pass(10);
    await eventually(() => feeds(one)).toEqual(opening);
    line.unplug();
    await one.locator('#status[data-state="lost"]').waitFor();
    expect(await one.textContent("#status")).toBe("No connection");
    expect(await one.textContent("#stale")).toMatch(/^As of \d\d:\d\d:\d\d\./);
    show.pass(120);
    await eventually(() => feeds(two)).toEqual(whole);
    expect(await feeds(one)).toEqual(opening);
    line.mend();
    await live(one);
    await eventually(() => feeds(one)).toEqual(whole);
    expect(await one.textContent("#stale")).toBe("");
  });

  it("come back after the network was gone", async () => {
    const { page: one, context } = await windows.open(`${line.url}/scores/`);
    await live(one);
    await context.setOffline(true);
    line.unplug();
    await one.locator('#status[data-state="lost"]').waitFor();
    show.pass(130);
    line.mend();
    await context.setOffline(false);
    await live(one);
    await eventually(() => feeds(one)).toEqual(whole);
  });

  it("are whole for a visitor who comes late, score and clock included", async () => {
    show.pass(72);
    const late = await visit(show.url);
    await eventually(async () => (await feeds(late))["Mexico – South Africa"]).toEqual([
      "67′ Raúl Jiménez 2–0",
      "Half-time 1–0",
      "9′ Julián Quiñones 1–0",
      "Kick-off",
    ]);
    const mexico = late.locator(".match").first();
    expect(await mexico.locator(".goals").allTextContents()).toEqual(["2", "0"]);
    expect(await mexico.locator(".clock").textContent()).toMatch(/^(69|7\d)′$/);
  });

  it("are spoken as goals fall, but not those from before the visit", async () => {
    const one = await visit(show.url);
    expect(await one.locator("#announcements").getAttribute("aria-live")).toBe("polite");
    show.pass(10);
    const first = "Goal for Mexico: Julián Quiñones, minute 9. Mexico 1, South Africa 0.";
    await eventually(() => spoken(one)).toEqual([first]);
    const late = await visit(show.url);
    await eventually(() => feeds(late)).toEqual(opening);
    show.pass(54);
    const second = "Goal for Czech Republic: Ladislav Krejcí, minute 59. South Korea 0, Czech Republic 1.";
    await eventually(() => spoken(one)).toEqual([first, second]);
    await eventually(() => spoken(late)).toEqual([second]);
  });

  it("begin anew on a server that has lost its past", async () => {
    const one = await visit(line.url);
    show.pass(130);
    await eventually(() => feeds(one)).toEqual(whole);
    const { port } = show;
    await show.close();
    await one.locator('#status[data-state="lost"]').waitFor();
    show = await startScores(port);
    show.replay.start("2026-06-11");
    show.pass(10);
    await live(one);
    await eventually(() => feeds(one)).toEqual(opening);
  });
});

describe("the replay", () => {
  it("is started and paced with the keyboard alone, in every window", async () => {
    const one = await visit(line.url);
    const two = await visit(show.url);
    await one.focus("#days");
    await one.keyboard.type("Sun 19");
    await one.keyboard.press("Tab");
    await one.keyboard.press("Enter");
    for (const page of [one, two]) {
      await eventually(() => page.locator(".match .name").allTextContents()).toEqual(["Spain", "Argentina"]);
      await eventually(() => page.textContent("#day")).toBe("Sunday 19 July\u{a0}· Final");
    }
    await one.focus('#speeds input[value="60"]');
    await one.keyboard.press("ArrowRight");
    for (const page of [one, two])
      await eventually(() => page.isChecked('#speeds input[value="300"]')).toBe(true);
  });

  it("begins with the first visit", async () => {
    await show.close();
    await line.close();
    show = await startScores();
    line = await openLine(show.port);
    expect(show.replay.run.run).toBe(0);
    const one = await visit(show.url);
    await eventually(() => one.locator(".match").count()).toBe(6);
  });

  it("refuses what it does not have, and says so", async () => {
    const ask = (body: unknown) =>
      fetch(`${show.url}/scores/api/replay`, {
        method: "POST",
        body: JSON.stringify(body),
        headers: { "content-type": "application/json" },
      });
    expect((await ask({ day: "2026-06-10" })).status).toBe(422);
    expect((await ask({ speed: 7 })).status).toBe(422);
    expect((await ask(null)).status).toBe(422);
    expect((await ask({ speed: 300 })).status).toBe(200);
    expect((await fetch(`${show.url}/scores/api/replay`, { method: "DELETE" })).status).toBe(405);
  });

  it("takes goals from nobody but the server", async () => {
    const answer = await fetch(`${show.url}/channels/${show.replay.run.matches[0]}`, {
      method: "POST",
      body: JSON.stringify({ kind: "goal" }),
      headers: { "content-type": "application/json" },
    });
    expect(answer.status).toBe(403);
  });
});
