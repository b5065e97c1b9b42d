/** Generated histories of publishing, reading and faults, judged by the oracle; `npm run chaos` plays more of them. */
import { expect, it } from "vitest";
import { MEMORY_SEEDS, PROCESS_SEEDS } from "./fixed-seeds.ts";
import { memoryWorlds } from "./memory-world.ts";
import { openProcessWorlds } from "./process-world.ts";
import { playSeeds } from "./play-seeds.ts";
import type { Worlds } from "./run.ts";
import type { Tally } from "./tally.ts";

/** How long a failure may take to be made short, ms. */
const SHRINKING = 40_000;

/** Plays them, `jobs` at once; throws the first failure, made short. */
async function playAll(
  worlds: Worlds,
  seeds: typeof MEMORY_SEEDS | typeof PROCESS_SEEDS,
  jobs: number,
): Promise<Tally> {
  const found = (text: string): never => {
    throw new Error(text);
  };
  const { tally } = await playSeeds(worlds, { ...seeds, jobs, shrinking: SHRINKING }, { found });
  return tally;
}

it("loses nothing in silence in memory, whatever lines, clients, brokers and servers suffer", async () => {
  const tally = await playAll(memoryWorlds, MEMORY_SEEDS, 1);
  // That the faults bite: each kind was there, and so were its effects.
  for (const what of [
    "line: cut",
    "line: halfClose",
    "line: blackhole",
    "line: buffer",
    "line: throttle",
    "line: split",
    "server: kill",
    "server: drain",
    "server: stop",
    "server: start with its past",
    "server: start without its past",
    "broker: jump",
    "broker: refuse",
    "broker: doubt",
    "step: lead",
    "step: reload",
    "step: freeze",
    "step: thaw",
    "step: trespass",
    "authenticator: slow",
    "authenticator: throws",
    "authenticator: rejects",
    "authenticator: none",
    "trespass: 401",
    "trespass: 403",
    "origin: preflight passed",
    "resumed by: lastEventId",
    "resumed by: LASTEVENTID",
    "resumed by: since",
    "step: online",
    "proxy: refused the mark",
    "proxy: refuse",
    "proxy: lost response",
    "proxy: redirect",
    "proxy: nothing",
    "iterator: return",
    "iterator: throw",
    "iterator: break",
    "iterator: destroy",
    "iterator: abandon",
    "tab: leader",
    "tab: follower",
    "client: switched",
    "gaps: epoch",
    "gaps: retention",
    "gaps: not-kept",
    "skips",
    "publishes answered as duplicates",
    "publishes left to a later page",
  ])
    expect([what, tally.get(what) ?? 0]).toEqual([what, expect.toSatisfy((times: number) => times > 0)]);
}, 170_000);

it("loses nothing in silence with servers that are killed and stopped, over sockets, in real time", async () => {
  await using worlds = await openProcessWorlds();
  const tally = await playAll(worlds, PROCESS_SEEDS, 3);
  expect(tally.get("messages delivered")).toBeGreaterThan(0);
}, 170_000);
