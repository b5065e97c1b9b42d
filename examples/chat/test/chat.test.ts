import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { chain, hosts, listen, serveFiles } from "example-site";
import { type ChannelDefinitions, createPartyline } from "partyline";
import { type NetworkLine, openLine } from "partyline/testing";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { eventually, needBuild, openWindows, type Windows } from "../../site/test/browser.ts";
import { channels, folders } from "../src/app.ts";

needBuild(join(import.meta.dirname, ".."));

let windows: Windows;
let chat: Awaited<ReturnType<typeof startChat>>;
/** Ada's connection, which can be cut, and Grace's, which can't. */
let line: NetworkLine;

async function startChat(port = 0, definitions: ChannelDefinitions = channels) {
  const server = createPartyline({ hosts, channels: definitions });
  const http = createServer(chain(serveFiles(folders)));
  server.attach(http);
  const url = await listen(http, port);
  return {
    url,
    port: (http.address() as AddressInfo).port,
    say: (room: string, text: string) =>
      server.channel(`chat/${room}`).publish({ by: "server", name: "Server", text }),
    async close() {
      await server.close();
      http.close();
      http.closeAllConnections();
    },
  };
}

async function enter(url: string, name: string, room = "lobby"): Promise<Page> {
  const { page } = await windows.open(`${url}/chat/?as=${name}#${room}`);
  await live(page);
  return page;
}

async function live(page: Page): Promise<void> {
  await page.locator('body[data-connection="live"]').waitFor();
}

async function say(page: Page, ...texts: string[]): Promise<void> {
  for (const text of texts) {
    await page.fill("#text", text);
    await page.press("#text", "Enter");
  }
}

/** What stands in the room, from top to bottom. */
function texts(page: Page): Promise<string[]> {
  return page.locator(".message .text").allTextContents();
}

async function settled(page: Page): Promise<void> {
  await eventually(() => page.locator('.message:not([data-state="stored"])').count()).toBe(0);
}

beforeAll(async () => {
  windows = await openWindows();
});

afterAll(() => windows.end());

beforeEach(async () => {
  chat = await startChat();
  line = await openLine(chat.port);
});

afterEach(async () => {
  await windows.closeAll();
  await line.close();
  await chat.close();
});

describe("two windows of a room", () => {
  it("have every message once and in the same order", async () => {
    const ada = await enter(line.url, "Ada");
    const grace = await enter(chat.url, "Grace");
    await say(ada, "one", "two");
    await eventually(() => texts(grace)).toEqual(["one", "two"]);
    await say(grace, "three");
    await say(ada, "four");
    await eventually(() => texts(ada)).toHaveLength(4);
    await eventually(async () => texts(grace)).toEqual(await texts(ada));
  });

  it("have every message once and in the same order after one of them was cut off and came back", async () => {
    const ada = await enter(line.url, "Ada");
    const grace = await enter(chat.url, "Grace");
    await say(ada, "before");
    await eventually(() => texts(grace)).toEqual(["before"]);

    line.unplug();
    await ada.locator('body[data-connection="reconnecting"]').waitFor();
    await say(ada, "unsent one", "unsent two");
    await say(grace, "meanwhile one", "meanwhile two");
    await eventually(() => ada.locator('.message[data-state="waiting"] .text').allTextContents()).toEqual([
      "unsent one",
      "unsent two",
    ]);
    expect(await texts(grace)).not.toContain("unsent one");

    line.mend();
    await live(ada);
    await settled(ada);
    const all = ["before", "meanwhile one", "meanwhile two", "unsent one", "unsent two"];
    await eventually(() => texts(ada)).toEqual(all);
    await eventually(() => texts(grace)).toEqual(all);
  });

  it("agree after the network was gone, and the page says that it is offline", async () => {
    const { page: ada, context } = await windows.open(`${line.url}/chat/?as=Ada`);
    await live(ada);
    const grace = await enter(chat.url, "Grace");
    await context.setOffline(true);
    line.unplug();
    await ada.locator('body[data-connection="offline"]').waitFor();
    expect(await ada.textContent("#detail")).toContain("What you write is kept");
    await say(ada, "from the tunnel");
    line.mend();
    await context.setOffline(false);
    await live(ada);
    await eventually(() => texts(grace)).toEqual(["from the tunnel"]);
    await settled(ada);
    expect(await texts(ada)).toEqual(["from the tunnel"]);
  });

  it("show who is typing, until it is said", async () => {
    const ada = await enter(line.url, "Ada");
    const grace = await enter(chat.url, "Grace");
    await ada.type("#text", "hel");
    await eventually(() => grace.textContent("#typing")).toBe("Ada is typing");
    expect(await ada.textContent("#typing")).toBe("");
    await ada.press("#text", "Enter");
    await eventually(() => grace.textContent("#typing")).toBe("");
    await eventually(() => texts(grace)).toEqual(["hel"]);
  });
});

describe("a message", () => {
  it("survives a reload of the page before it was sent, and is stored once", async () => {
    const ada = await enter(line.url, "Ada");
    line.unplug();
    await ada.locator('body[data-connection="reconnecting"]').waitFor();
    await say(ada, "do not forget me");
    await ada.goto("about:blank");
    line.mend();
    await ada.goto(`${line.url}/chat/?as=Ada`);
    await live(ada);
    await settled(ada);
    expect(await texts(ada)).toEqual(["do not forget me"]);
    const grace = await enter(chat.url, "Grace");
    await eventually(() => texts(grace)).toEqual(["do not forget me"]);
  });

  it("that looks like markup is text", async () => {
    const ada = await enter(chat.url, "<b>Ada</b>");
    await say(ada, '<img src=x onerror="alert(1)">');
    await settled(ada);
    expect(await texts(ada)).toEqual(['<img src=x onerror="alert(1)">']);
    expect(await ada.innerHTML(".name")).toBe("&lt;b&gt;Ada&lt;/b&gt;");
  });

  it("that is too long stays with its author, who is told by how much", async () => {
    const ada = await enter(chat.url, "Ada");
    await say(ada, "x".repeat(503));
    expect(await ada.textContent("#counter")).toBe("3 characters too many");
    expect(await ada.inputValue("#text")).toHaveLength(503);
    expect(await texts(ada)).toEqual([]);
  });

  it("that is refused stays with the reason, and can be tried again or discarded", async () => {
    let refusing = true;
    const moody = { version: 1, vendor: "test", validate: check } as const;
    function check(value: unknown): { value: unknown } | { issues: { message: string }[] } {
      return refusing ? { issues: [{ message: "the moderator is out" }] } : { value };
    }
    await chat.close();
    chat = await startChat(0, { ...channels, "chat/:room": { message: { "~standard": moody } } });
    const ada = await enter(chat.url, "Ada");
    await say(ada, "good", "bad");
    const failed = ada.locator('.message[data-state="failed"]');
    await eventually(() => failed.locator(".text").allTextContents()).toEqual(["good", "bad"]);
    expect(await failed.first().locator(".fate").textContent()).toContain("the moderator is out");

    refusing = false;
    await failed.first().getByRole("button", { name: "Try again" }).click();
    await eventually(() => failed.count()).toBe(1);
    await failed.getByRole("button", { name: "Discard" }).click();
    await settled(ada);
    expect(await texts(ada)).toEqual(["good"]);
  });

  it("is written and sent with the keyboard alone, from the first visit on", async () => {
    // A room that is called like a part of the page: the browser would move focus there.
    const { page: ada } = await windows.open(`${chat.url}/chat/#log`);
    await live(ada);
    await ada.keyboard.type("Ada");
    await ada.keyboard.press("Enter");
    await ada.keyboard.type("first line");
    await ada.keyboard.press("Shift+Enter");
    await ada.keyboard.type("second line");
    await ada.keyboard.press("Enter");
    await settled(ada);
    expect(await texts(ada)).toEqual(["first line\nsecond line"]);
    expect(await ada.textContent(".name")).toBe("Ada");
    await ada.reload();
    expect(await ada.textContent("#me")).toBe("Ada");
  });
});

describe("a room", () => {
  it("shows its past on joining, and each room its own", async () => {
    await chat.say("lobby", "in the lobby");
    await chat.say("jazz", "in the club");
    const ada = await enter(chat.url, "Ada");
    await eventually(() => texts(ada)).toEqual(["in the lobby"]);
    await ada.fill("#join-name", "Jazz");
    await ada.press("#join-name", "Enter");
    await eventually(() => texts(ada)).toEqual(["in the club"]);
    expect(new URL(ada.url()).hash).toBe("#/jazz");
  });

  it("counts what is new in it while another is open, but not its past", async () => {
    await chat.say("music", "long ago");
    const ada = await enter(chat.url, "Ada");
    const music = ada.locator('.rooms a[href="#/music"]');
    await chat.say("music", "now");
    await eventually(() => music.textContent()).toBe("music1 new");
    await music.click();
    await eventually(() => texts(ada)).toEqual(["long ago", "now"]);
    expect(await music.textContent()).toBe("music");
    await chat.say("music", "and now");
    await eventually(() => texts(ada)).toHaveLength(3);
    expect(await ada.textContent("#rooms")).toBe("lobbyfootballmusic");
  });

  it("leaves the reader where they read, and offers the way to what is new", async () => {
    for (let number = 1; number <= 60; number += 1) await chat.say("lobby", `message ${number}`);
    const ada = await enter(chat.url, "Ada");
    await eventually(() => texts(ada)).toHaveLength(60);
    await eventually(() => ada.getByText("message 60", { exact: true }).isVisible()).toBe(true);
    await ada.locator("#log").evaluate((log) => log.scrollTo(0, 0));
    await chat.say("lobby", "news");
    const newer = ada.getByRole("button", { name: "1 new message" });
    await newer.waitFor();
    expect(await ada.locator("#log").evaluate((log) => log.scrollTop)).toBe(0);
    await newer.click();
    await eventually(() =>
      ada.locator("#log").evaluate((log) => log.scrollHeight - log.scrollTop - log.clientHeight),
    ).toBeLessThan(2);
    expect(await newer.isVisible()).toBe(false);
  });

  it("says how many messages are gone, where they would stand", async () => {
    await chat.close();
    await line.close();
    chat = await startChat(0, {
      ...channels,
      "chat/:room": { ...channels["chat/:room"], retention: { count: 5, age: "7d" } },
    });
    line = await openLine(chat.port);
    const ada = await enter(line.url, "Ada");
    await chat.say("lobby", "seen");
    await eventually(() => texts(ada)).toEqual(["seen"]);
    line.unplug();
    await ada.locator('body[data-connection="reconnecting"]').waitFor();
    for (let number = 1; number <= 8; number += 1) await chat.say("lobby", `missed ${number}`);
    line.mend();
    await eventually(() => ada.locator(".missing, .message .text").allTextContents()).toEqual([
      "seen",
      "3 messages are gone: you were away longer than this room keeps them.",
      ...[4, 5, 6, 7, 8].map((number) => `missed ${number}`),
    ]);
  });

  it("says that messages may be gone when the server has lost its past", async () => {
    const ada = await enter(line.url, "Ada");
    await say(ada, "before");
    await settled(ada);
    const { port } = chat;
    await chat.close();
    await ada.locator('body[data-connection="reconnecting"]').waitFor();
    await say(ada, "unsent");
    chat = await startChat(port);
    await live(ada);
    await settled(ada);
    await eventually(() => ada.locator(".missing, .message .text").allTextContents()).toEqual([
      "before",
      "Messages may be gone: the server was started anew and has lost what came before.",
      "unsent",
    ]);
  });
});
