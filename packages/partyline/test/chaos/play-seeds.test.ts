/** A long run of generated histories: its reports, and the memory that it takes. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { memoryWorlds } from "./memory-world.ts";
import { playSeeds } from "./play-seeds.ts";
import type { Worlds } from "./run.ts";

it("reports the shortened history of a failure before it plays the next seed", async () => {
  const log: string[] = [];
  const worlds: Worlds = {
    name: "memory",
    async open({ seed }) {
      if (log.at(-1) !== `open ${seed}`) log.push(`open ${seed}`);
      throw new Error(`World ${seed} does not open.`);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const { failed } = await playSeeds(
    worlds,
    { from: 7, count: 5, jobs: 1, shrinking: 5_000 },
    { found: (text) => log.push(text.slice(0, text.indexOf(" fails"))) },
  );
  expect(failed).toEqual([7, 8, 9, 10, 11]);
  expect(log).toEqual(failed.flatMap((seed) => [`open ${seed}`, `seed ${seed}`]));
});

it("describes the shortest history of a failure, and how to play it again", async () => {
  const worlds: Worlds = { ...memoryWorlds, open: () => Promise.reject(new Error("It does not open.")) };
  const texts: string[] = [];
  await playSeeds(
    worlds,
    { from: 1, count: 1, jobs: 1, shrinking: 5_000 },
    { found: (text) => texts.push(text) },
  );
  expect(texts).toHaveLength(1);
  expect(texts[0]).toMatch(/shortest history found that fails, 0 of \d+ steps[^]*--history/);
});

it("leaves nothing of a world in memory once its history was played", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const opened: WeakRef<object>[] = [];
  const worlds: Worlds = {
    ...memoryWorlds,
    async open(history) {
      const world = await memoryWorlds.open(history);
      // Everything in a world reaches its clients' lines, and is reached by them.
      opened.push(new WeakRef(world));
      return world;
    },
  };
  await playSeeds(
    worlds,
    { from: 1, count: 6, jobs: 1, shrinking: 0 },
    {
      found(text) {
        throw new Error(text);
      },
    },
  );
  // The last world is reachable from the turn in which it ended.
  const left = (): number => opened.slice(0, -1).filter((world) => world.deref() !== undefined).length;
  for (let tries = 0; tries < 20 && left() > 0; tries++) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  expect(opened).toHaveLength(6);
  expect(left()).toBe(0);
});
