import type { Clock } from "../../core/ports.ts";

/** Turns of the event loop in a row without an event, after which nothing more is under way. */
const QUIET_TURNS = 2;

/** More turns than anything needs that comes to rest by itself. */
const MOST_TURNS = 200_000;

/** Knows whether anything is under way in a world whose bytes and turns all pass by here. */
export interface Quiet {
  /** Something happened to a connection. */
  readonly moved: () => void;
  /** The clock, with turns of the real event loop. */
  clock(clock: Clock): Clock;
  /** Resolves when nothing moves any more. @throws Error where that does not come. */
  settled(): Promise<void>;
}

export function createQuiet(): Quiet {
  let movements = 0;
  /** Turns that were asked for and have not come. */
  let turns = 0;
  const moved = (): void => void movements++;

  return {
    moved,
    clock: (clock) => ({
      now: () => clock.now(),
      setTimer: (fire, delay) => clock.setTimer(fire, delay),
      nextTurn(fire) {
        turns++;
        setImmediate(() => {
          turns--;
          movements++;
          fire();
        });
      },
    }),
    async settled() {
      let quiet = 0;
      for (let turn = 0; quiet < QUIET_TURNS; turn++) {
        if (turn > MOST_TURNS)
          throw new Error(
            "The network does not come to rest: something in the test answers itself for ever.",
          );
        const before = movements;
        // Promises and `nextTick` are done within a turn: only what asks for another turn can outlast it.
        await new Promise((resolve) => setImmediate(resolve));
        quiet = movements === before && turns === 0 ? quiet + 1 : 0;
      }
    },
  };
}
