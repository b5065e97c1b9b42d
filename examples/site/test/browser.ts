import { existsSync } from "node:fs";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { expect } from "vitest";
import { chromiumOptions } from "../../../scripts/chromium.ts";

/** A browser whose windows are told apart like those of different people: each has its own storage. */
export interface Windows {
  /** @param init Runs in the page before its own code. */
  open(url: string, init?: () => void): Promise<{ page: Page; context: BrowserContext }>;
  /** Closes the windows. Throws what went wrong in them, which a page may otherwise hide. */
  closeAll(): Promise<void>;
  end(): Promise<void>;
}

export async function openWindows(): Promise<Windows> {
  const browser: Browser = await chromium.launch(chromiumOptions());
  let contexts: BrowserContext[] = [];
  let errors: string[] = [];
  return {
    async open(url, init) {
      const context = await browser.newContext({ locale: "en-GB", reducedMotion: "reduce" });
      contexts.push(context);
      const page = await context.newPage();
      page.on("pageerror", (error) => errors.push(error.message));
      page.on("console", (message) => {
        // What a cut line makes the browser say is the test's own doing.
        if (message.type() === "error" && !/net::ERR_|WebSocket/.test(message.text()))
          errors.push(message.text());
      });
      if (init !== undefined) await page.addInitScript(init);
      await page.goto(url);
      return { page, context };
    },
    async closeAll() {
      await Promise.all(contexts.map((context) => context.close()));
      const found = errors;
      contexts = [];
      errors = [];
      if (found.length > 0) throw new Error(`A page reported: ${[...new Set(found)].join("; ")}`);
    },
    end: () => browser.close(),
  };
}

/** A page is served as it was compiled: without a build there is none, and with an old one the test is of old code. */
export function needBuild(folder: string): void {
  if (!existsSync(`${folder}/dist/page/main.js`))
    throw new Error(`${folder} is not built: run \`npm run build\`.`);
}

/** Asserts what will be so before long. A loaded machine and a browser's own pace between two attempts take time. */
export function eventually<T>(get: () => T): ReturnType<typeof expect.poll<T>> {
  return expect.poll(get, { timeout: 20_000 });
}
