import { generateHistory } from "./generate.ts";
import type { Kind } from "./kinds/kinds.ts";
import { describeFailure, describeRun, runHistory, shrinkRun, type Worlds } from "./run.ts";
import { addTally, count, type Tally } from "./tally.ts";

/** The seeds that {@link playSeeds} plays. */
export interface Seeds {
  readonly from: number;
  readonly count: number;
  /** Kinds of trouble that the histories may have. Absent: all. */
  readonly kinds?: readonly Kind[];
  /** Number of histories that are played at once. */
  readonly jobs: number;
  /** Time that shortening one failure may take, in milliseconds. */
  readonly shrinking: number;
  /** Whether the next seed is played. Absent: all of them are. */
  readonly goesOn?: () => boolean;
}

/** Callbacks of {@link playSeeds}. */
export interface SeedsReport {
  /** A history was played; how many by now, and how many of them failed. */
  readonly played?: (done: number, failed: number) => void;
  /** A history failed: the text that a human needs. Called before the next seed is played. */
  readonly found: (text: string) => void;
}

/** Failures that are shortened; of later failures the report has the seed and the violations alone. */
const MOST_SHORTENED = 3;

/** Plays generated histories; reports each failure when it is found, because a run may end before its last seed. */
export async function playSeeds(
  worlds: Worlds,
  { from, count: seeds, kinds, jobs, shrinking, goesOn = () => true }: Seeds,
  { played, found }: SeedsReport,
): Promise<{ readonly tally: Tally; readonly done: number; readonly failed: readonly number[] }> {
  const tally: Tally = new Map();
  const failed: number[] = [];
  let next = from;
  let done = 0;

  const work = async (): Promise<void> => {
    while (next < from + seeds && goesOn()) {
      const run = await runHistory(worlds, generateHistory(next++, kinds));
      addTally(tally, run.tally);
      count(tally, "steps", run.history.steps.length);
      done++;
      if (run.violations.length > 0) {
        const { length: shortened } = failed;
        failed.push(run.history.seed);
        found(
          shortened < MOST_SHORTENED
            ? await describeFailure(worlds, run, await shrinkRun(worlds, run, shrinking))
            : describeRun(run),
        );
      }
      played?.(done, failed.length);
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  return { tally, done, failed };
}
