import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Violation } from "../../src/testing/oracle/index.ts";
import { describeStep, type History, type Setup } from "./history.ts";
import { play } from "./play.ts";
import { shrinkHistory } from "./shrink.ts";
import type { Tally } from "./tally.ts";
import type { World } from "./world.ts";

/** Where worlds come from. */
export interface Worlds extends AsyncDisposable {
  readonly name: World["name"];
  open(history: { readonly setup: Setup; readonly seed: number }): Promise<World>;
}

/** How the history of a seed ended. */
export interface Run {
  readonly history: History;
  readonly violations: readonly Violation[];
  readonly tally: Tally;
}

/** Longer takes none, by the clock on the wall: then something waits that nothing wakes. Ms. */
const PATIENCE = 180_000;

/** Plays a history in a world of its own. What is thrown on the way is a violation too. */
export async function runHistory(worlds: Worlds, history: History): Promise<Run> {
  const abort = new AbortController();
  const hung = sleep(PATIENCE, undefined, { signal: abort.signal, ref: false }).then(() => {
    throw new Error(`It did not end within ${PATIENCE} ms.`);
  });
  hung.catch(() => undefined);
  try {
    const world = await worlds.open(history);
    try {
      const { violations, tally } = await Promise.race([play(history, world), hung]);
      return { history, violations, tally };
    } finally {
      await Promise.race([world[Symbol.asyncDispose](), hung]);
    }
  } catch (error) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { history, violations: [{ is: "unsettled", channel: "", message }], tally: new Map() };
  } finally {
    abort.abort();
  }
}

/** Looks for a shorter history that breaks one of the same promises. */
export async function shrinkRun(worlds: Worlds, { history, violations }: Run, ms: number): Promise<Run> {
  const kinds = new Set(violations.map(({ is }) => is));
  const end = performance.now() + ms;
  let shortest: Run = { history, violations, tally: new Map() };
  await shrinkHistory(
    history,
    async (candidate) => {
      const run = await runHistory(worlds, candidate);
      const fails = run.violations.some(({ is }) => kinds.has(is));
      if (fails) shortest = run;
      return fails;
    },
    () => performance.now() < end,
  );
  return shortest;
}

const MOST_VIOLATIONS = 6;

/** What was broken. */
export function describeRun({ history, violations }: Run): string {
  return [`seed ${history.seed} fails:`, ...describeViolations(violations)].join("\n");
}

/** What a human needs of a run that failed: what was broken, the shortest history, and how to play it again. */
export async function describeFailure(worlds: Worlds, run: Run, shortest: Run): Promise<string> {
  const { seed, steps } = run.history;
  const file = join(await mkdtemp(join(tmpdir(), "partyline-chaos-")), `history-${seed}.json`);
  await writeFile(file, JSON.stringify(shortest.history, undefined, 1));
  const again = (what: string): string => `npm run chaos -- --world ${worlds.name} ${what}`;
  return [
    `seed ${seed} fails (${worlds.name}):`,
    ...describeViolations(run.violations),
    `the shortest history found that fails, ${shortest.history.steps.length} of ${steps.length} steps:`,
    `  ${JSON.stringify(shortest.history.setup)}`,
    ...shortest.history.steps.map((step) => `  ${describeStep(step)}`),
    "its violations:",
    ...describeViolations(shortest.violations),
    `play the seed again:    ${again(`--from ${seed} --seeds 1`)}`,
    `play the short history: ${again(`--history ${file}`)}`,
  ].join("\n");
}

function describeViolations(violations: readonly Violation[]): string[] {
  const lines = violations.slice(0, MOST_VIOLATIONS).map(({ is, message }) => `  ${is}: ${message}`);
  return violations.length > lines.length
    ? [...lines, `  and ${violations.length - lines.length} more`]
    : lines;
}
