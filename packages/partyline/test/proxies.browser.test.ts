/** What only a browser says, behind a proxy that changes what was asked. */
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { chromiumOptions } from "../../../scripts/chromium.ts";
import { createPartyline } from "../src/server.ts";
import { silent } from "./support/line-rig.ts";
import { startNginx } from "./support/real-proxies.ts";

let browser: Browser;

beforeAll(async () => {
  browser = await chromium.launch(chromiumOptions());
});

afterAll(() => browser.close());

it("a page behind nginx as it comes hears and publishes, though the server is not told its host [GATE-4]", async () => {
  await using server = createPartyline({ logger: silent });
  const { port } = await server.listen(0);
  await using proxy = await startNginx({ block: "nginx", upstream: [port] });
  const page = await browser.newPage();
  // A page of this origin; what it shows does not matter.
  await page.goto(`${proxy.url}/channels/page`);
  const told = await page.evaluate(async () => {
    const source = new EventSource("/channels/a");
    await new Promise((resolve) => source.addEventListener("continuous", resolve));
    const message = new Promise<unknown>((resolve) => (source.onmessage = ({ data }) => resolve(data)));
    const { status } = await fetch("/channels/a", { method: "POST", body: "hello" });
    return [status, await message];
  });
  expect(told).toEqual([201, "hello"]);
});
