/**
 * The scores, as the gallery composes them with others and as `main.ts` runs them alone.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Handler } from "example-site";
import type { Partyline } from "partyline";
import { replayApi } from "./api.ts";
import { type MatchFile, readMatches } from "./matches.ts";
import { Replay, type ReplayPorts } from "./replay.ts";

export { channels } from "./channels.ts";

const here = join(import.meta.dirname, "..");

/** The page's files by path. */
export const folders = { "/scores/": join(here, "public"), "/scores/dist/": join(here, "dist") };

/** How often the clock is told, ms: often enough that 300× does not look like leaps. */
const TICK = 500;

/** The replay on a server, and the address that steers it. */
export interface Scores {
  readonly replay: Replay;
  readonly api: Handler;
  /** Lets the time pass; the returned function stops it. */
  run(): () => void;
}

export function createScores(
  server: Pick<Partyline, "channel">,
  now: ReplayPorts["now"] = () => performance.now(),
): Scores {
  const file = JSON.parse(readFileSync(join(here, "data/matches.json"), "utf8")) as MatchFile;
  // Publishes of one channel keep the order in which they were begun, so none has to wait for the one before.
  const publish = (channel: string, data: unknown, options?: { key: string }): void => {
    server
      .channel(channel)
      .publish(data, options)
      .catch((error: unknown) => console.error(`Not published to ${channel}:`, error));
  };
  const replay = new Replay(readMatches(file), {
    now,
    tellMatch: (channel, event) => publish(channel, event),
    tellReplay: (event) => publish("scores/replay", event, { key: event.kind }),
  });
  return {
    replay,
    api: replayApi(replay),
    run() {
      const timer = setInterval(() => replay.tick(), TICK);
      return () => clearInterval(timer);
    },
  };
}
