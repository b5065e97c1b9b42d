import { type Evidence, judge, type Violation } from "../../src/testing/oracle/index.ts";
import { createDisturbing } from "./acts/disturbing.ts";
import { createPublishing } from "./acts/publishing.ts";
import { createIterating } from "./acts/iterating.ts";
import { createReading } from "./acts/reading.ts";
import { createTroubling } from "./acts/troubling.ts";
import { type Acts, openStage, type Stage } from "./acts/stage.ts";
import { CHANNEL_NAMES, type History, type Step } from "./history.ts";
import type { Reading } from "./reading.ts";
import { count, countEvidence, type Tally } from "./tally.ts";
import type { World } from "./world.ts";

/** How a history ended. */
export interface Played {
  /** None, where all is well. */
  readonly violations: readonly Violation[];
  readonly tally: Tally;
  readonly evidence: Evidence;
}

/** How long all may take to come to rest when there are no more faults, ms of the world's time. */
const REST = 60_000;
/**
 * With a slow uplink. What is too old after a jump of the clock is answered `uncertain` and repeated three times, each
 * time over the slow line.
 */
const SLOW_REST = 240_000;
const PAUSE = 20;
/** After this time of rest the pauses are longer: something waits for a slow line, or for ever. */
const PATIENCE = 5_000;
const LONG_PAUSE = 200;

/** Plays a history in a world that is new, lets all come to rest, and asks the oracle. */
export async function play({ setup, steps }: History, world: World): Promise<Played> {
  const stage = await openStage(world, setup.clients);
  const publishing = createPublishing(stage);
  const reading = createReading(stage);
  const iterating = createIterating(stage);
  const acts: Acts = {
    async pass({ ms }) {
      await world.pass(ms);
      return true;
    },
    ...publishing.acts,
    ...reading.acts,
    ...createDisturbing(stage, publishing.clockJumped),
    ...iterating.acts,
    ...createTroubling(stage),
    async reload({ client }) {
      const { stores, shares } = setup.clients[client] ?? {};
      if (!stores && !shares) return false;
      stage.tab(client)?.kill();
      // What the page has given to its disk is there.
      await new Promise((resolve) => setImmediate(resolve));
      reading.leave(client);
      publishing.leave(client);
      await stage.reload(client);
      return true;
    },
    freeze({ client }) {
      const tab = stage.tab(client);
      if (!tab || tab.frozen) return false;
      tab.freeze();
      return true;
    },
    thaw: ({ client }) => thaw(stage, client),
  };
  for (const step of steps) {
    const act = acts[step.do] as (fields: Step) => boolean | Promise<boolean>;
    if (await act(step)) count(stage.tally, nameOf(step));
  }

  await endFaults(stage, setup.clients.length);
  iterating.hurry();
  const isSlow = setup.clients.some(({ trouble }) => trouble?.uplink !== undefined);
  await rest(stage, reading.readings, isSlow ? SLOW_REST : REST, async () => {
    await publishing.settleLeft();
    return iterating.unsettled.size === 0;
  });
  const { evidence } = stage.oracle;
  publishing.end();
  // Who reads without our client would go on trying when the world is gone.
  for (const each of reading.readings()) each.end();
  countEvidence(stage.tally, evidence);
  for (const message of iterating.unsettled.values())
    stage.violations.push({ is: "unsettled", channel: "", message });
  return { violations: [...judge(evidence), ...stage.violations], tally: stage.tally, evidence };
}

const GROUPS: readonly (readonly [string, readonly Step["do"][]])[] = [
  ["server", ["kill", "close", "drain", "stop", "continue"]],
  ["broker", ["jump", "forget", "refuse", "doubt"]],
];

function nameOf(step: Step): string {
  if (step.do === "fault") return `line: ${step.fault}`;
  if (step.do === "start") return `server: start ${step.past ? "with" : "without"} its past`;
  const [group = "step"] = GROUPS.find(([, steps]) => steps.includes(step.do)) ?? [];
  return `${group}: ${step.do}`;
}

function thaw(stage: Stage, client: number): boolean {
  const tab = stage.tab(client);
  if (!tab?.frozen) return false;
  tab.thaw();
  return true;
}

async function endFaults(stage: Stage, clients: number): Promise<void> {
  const { world, oracle, at } = stage;
  for (let client = 0; client < clients; client++) {
    thaw(stage, client);
    at(client)?.mend();
    stage.place(client)?.proxy?.calm();
  }
  if (world.stopped) world.continue();
  if (!world.running && !(await world.start(true))) oracle.lostPast();
}

/** Waits until all publishes are settled and all readers level, or for too long. */
async function rest(
  stage: Stage,
  readings: () => Reading[],
  longest: number,
  othersRest: () => Promise<boolean>,
): Promise<void> {
  for (const reading of readings()) {
    reading.hurry();
    reading.resume();
  }
  for (let waited = 0, pause = PAUSE; waited < longest; waited += pause) {
    if ((await othersRest()) && (await rests(stage, readings()))) return;
    if (waited >= PATIENCE) pause = LONG_PAUSE;
    await stage.world.pass(pause);
  }
}

async function rests({ world, oracle }: Stage, readings: readonly Reading[]): Promise<boolean> {
  // First the publishes: once all are settled, the heads that are told next are the last ones.
  if (oracle.evidence.publishes.some(({ fate }) => fate.is === "pending")) return false;
  const heads = new Map<string, string | undefined>();
  for (const name of CHANNEL_NAMES) {
    const { head, kept } = await world.ends(name);
    oracle.ended(name, head, kept);
    heads.set(name, head);
  }
  return (
    readings.every(({ channel, position }) => position === heads.get(channel)) &&
    // The oracle looks longer, and at more.
    oracle.violations().every(({ is }) => is !== "behind")
  );
}
