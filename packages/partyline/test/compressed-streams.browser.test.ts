/** Compressed event streams in a real browser. */
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { chromiumOptions } from "../../../scripts/chromium.ts";
import { startLineRig } from "./support/line-rig.ts";

const LARGE = "goal! ".repeat(500);

let browser: Browser;

beforeAll(async () => {
  browser = await chromium.launch(chromiumOptions());
});

afterAll(() => browser.close());

it("EventSource gets each message as it comes, and after a cut the rest at its place [SSE-16]", async () => {
  await using rig = await startLineRig({ compression: true });
  const page = await browser.newPage();
  // A page of this origin; what it shows does not matter.
  await page.goto(`${rig.url}/channels/page`);
  await page.evaluate(async () => {
    const told: string[] = [];
    const source = new EventSource("/channels/a");
    source.onmessage = ({ data }) => told.push(String(data));
    await new Promise((resolve) => source.addEventListener("continuous", resolve));
    Object.assign(globalThis, { told, source });
  });
  const told = (count: number): Promise<string[]> =>
    page
      .waitForFunction((least) => (globalThis as unknown as Told).told.length >= least, count)
      .then(() => page.evaluate(() => (globalThis as unknown as Told).told));
  const all = ["one", `${LARGE}two`, "three"];
  for (const [index, text] of all.entries()) {
    await rig.publish(text);
    expect(await told(index + 1)).toEqual(all.slice(0, index + 1));
  }
  await rig.reattached(() => rig.line.cut());
  await rig.publish(`${LARGE}four`, "five");
  expect(await told(5)).toEqual([...all, `${LARGE}four`, "five"]);
});

it("fetch reads one to the end that a closing server gives it [SSE-18]", async () => {
  await using rig = await startLineRig({ compression: true });
  const page = await browser.newPage();
  await page.goto(`${rig.url}/channels/page`);
  let text: Promise<string> | undefined;
  await rig.reattached(() => {
    text = page.evaluate(async () => {
      const response = await fetch("/channels/a", { headers: { accept: "text/event-stream" } });
      return response.text();
    });
  });
  await rig.publish(LARGE);
  await rig.server.close();
  expect(await text).toMatch(/"code":"draining"[^]*\n\n$/);
});

interface Told {
  readonly told: string[];
}
