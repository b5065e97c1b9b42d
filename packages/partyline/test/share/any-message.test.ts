/** Messages that tabs can't hand to each other as values. */
import { describe, expect, it } from "vitest";
import type { Message } from "../../src/client/index.ts";
import { createTabWorld, type Tab } from "./tab-world.ts";

const nested = (levels: number): string => "[".repeat(levels) + "]".repeat(levels);

function depthOf(data: unknown): number {
  let depth = 0;
  for (let value = data; Array.isArray(value); value = value[0]) depth++;
  return depth;
}

function read(tab: Tab, channel: string, show = ({ data }: Message): unknown => data): unknown[] {
  const got: unknown[] = [];
  tab.client.channel(channel, { since: "earliest" }).on("message", (message) => got.push(show(message)));
  return got;
}

describe("tabs that share a connection", () => {
  it.each([100, 6_000, 32_000])(
    "receive a message that is nested %i levels deep, and what follows in all channels",
    async (levels) => {
      const world = createTabWorld();
      const tabs = [world.openTab(), world.openTab(), world.openTab()];
      const deep = tabs.map((tab) => read(tab, "a", ({ data }) => depthOf(data)));
      const others = tabs.map((tab) => read(tab, "b"));
      await world.pass(100);
      await world.publish("a", nested(levels));
      await world.rest();
      await world.publish("a", "after");
      await world.publish("b", "other");
      await world.rest();
      const late = read(world.openTab(), "a", ({ data }) => depthOf(data));
      await world.rest();
      expect([...deep, late]).toEqual([...tabs, "late"].map(() => [levels, 0]));
      expect(others).toEqual(tabs.map(() => ["other"]));
      expect(world.connections).toBe(1);
      expect(tabs.flatMap(({ reported }) => reported)).toEqual([]);
    },
  );

  it("receive the numbers that a tab on its own would receive", async () => {
    const world = createTabWorld();
    const tabs = [world.openTab(), world.openTab(), world.openTab({}, false)];
    const got = tabs.map((tab) => read(tab, "a"));
    await world.publish("a", '[1e400,-0,1.0,12345678901234567890,{"__proto__":1}]');
    await world.rest();
    expect(got[0]).toEqual(got[2]);
    expect(got[1]).toEqual(got[2]);
    expect(got[1]).toEqual([[Infinity, -0, 1, 12345678901234567000, expect.anything()]]);
  });
});

describe("a tab that can't be sent a post", () => {
  it("goes on with a connection of its own, and the other tabs go on as before", async () => {
    const world = createTabWorld();
    const tabs = [world.openTab(), world.openTab(), world.openTab()] as const;
    const got = tabs.map((tab) => read(tab, "a"));
    await world.pass(100);
    await world.publish("a", "1");
    await world.rest();
    tabs[1].refusesPosts = true;
    await world.publish("a", "2");
    await world.rest();
    tabs[1].refusesPosts = false;
    await world.publish("a", "3");
    await world.pass(3_000);
    expect(got).toEqual(tabs.map(() => ["1", "2", "3"]));
  });

  it("can't keep the hub from what it can't be sent", async () => {
    const world = createTabWorld();
    const [leader, follower] = [world.openTab(), world.openTab()];
    const got = [leader, follower].map((tab) => read(tab, "a"));
    await world.pass(100);
    // A listener of JavaScript code may give anything.
    const wrong = follower.client.channel("b", { since: (() => "now") as unknown as string });
    const off = wrong.on("message", () => undefined);
    await world.publish("a", "1");
    await world.pass(100);
    off();
    await world.publish("a", "2");
    await world.rest();
    expect(got).toEqual([
      ["1", "2"],
      ["1", "2"],
    ]);
  });
});
