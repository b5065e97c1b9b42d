import { describe, expect, it } from "vitest";
import { createTabWorld } from "./tab-world.ts";

describe("tabs that share a connection", () => {
  it("that spell the name of a channel in two ways read one channel, whichever closes it first [NAME-4]", async () => {
    const spellings = ["cafe\u0301/r", "caf\u00e9/r"] as const;
    for (const closing of [0, 1]) {
      const world = createTabWorld();
      const tabs = spellings.map(() => world.openTab());
      const got = tabs.map((tab, index) => {
        const texts: unknown[] = [];
        tab.client.channel(spellings[index] as string).on("message", ({ data }) => texts.push(data));
        return texts;
      });
      await world.pass(100);
      for (const [index, tab] of tabs.entries())
        for (const text of [1, 2, 3]) void tab.client.channel(spellings[index] as string).publish(text);
      await world.rest();
      expect(got.map(({ length }) => length)).toEqual([6, 6]);
      tabs[closing]?.client.channel(spellings[1 - closing] as string).close();
      await world.rest();
      void world.publish(spellings[0], "after");
      await world.rest();
      expect(got[1 - closing]).toHaveLength(7);
      expect(got[closing]).toHaveLength(6);
    }
  });
});
