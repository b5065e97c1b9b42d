import { join } from "node:path";
import { listen } from "example-site";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually, needBuild, openWindows, type Windows } from "../../site/test/browser.ts";
import { createGallery } from "../src/app.ts";

for (const name of ["gallery", "chat", "scores"]) needBuild(join(import.meta.dirname, "../..", name));

let windows: Windows;
let gallery: ReturnType<typeof createGallery>;
let url: string;

beforeAll(async () => {
  windows = await openWindows();
  gallery = createGallery();
  url = await listen(gallery.http, 0);
});

afterAll(async () => {
  await windows.end();
  await gallery.close();
});

describe("the gallery", () => {
  it("leads to both examples, which run beside each other on its port", async () => {
    const { page } = await windows.open(url);
    await page.getByRole("link", { name: "Chat" }).click();
    await page.locator('body[data-connection="live"]').waitFor();
    await page.goBack();
    await page.getByRole("link", { name: "Scores" }).click();
    await page.locator('#status[data-state="live"]').waitFor();
    await eventually(() => page.locator(".match").count()).toBe(6);
    await windows.closeAll();
  });

  it("shows commands that work as they stand", async () => {
    const { page } = await windows.open(url);
    const commands = (await page.textContent("pre")) ?? "";
    const [, address = "", body = ""] = /curl (\S+) .+\\\s+-d '(.+)'/.exec(commands) ?? [];
    const answer = await fetch(address, {
      method: "POST",
      body,
      headers: { "content-type": "application/json" },
    });
    expect(answer.status).toBe(201);
    await windows.closeAll();
  });
});
