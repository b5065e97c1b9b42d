import type { Clock, MaybePromise } from "../../core/ports.ts";
import { systemClock } from "../../server.ts";

/** Turns of the event loop in a row without an event, after which nothing more is under way. */
const QUIET_TURNS = 2;

/** More turns than anything needs that comes to rest by itself. */
const MOST_TURNS = 200_000;

/** How long an answer from outside is waited for, real ms; after that it is taken to wait for the network's time. */
const OUTSIDE = 200;

/** Knows whether anything is under way in a world whose bytes and turns all pass by here. */
export interface Quiet {
  /** Something happened to a connection. */
  readonly moved: () => void;
  /** The clock, with turns of the real event loop. */
  clock(clock: Clock): Clock;
  /** An answer that is made outside, as by a key that is checked in another thread: it takes none of the network's time. */
  outside<T>(answer: MaybePromise<T>): MaybePromise<T>;
  /** Resolves when nothing moves any more. @throws Error where that does not come. */
  settled(): Promise<void>;
}

export function createQuiet(): Quiet {
  const outside = new Set<Promise<unknown>>();
  let movements = 0;
  /** Turns that were asked for and have not come. */
  let turns = 0;
  const moved = (): void => void movements++;

  const rest = async (): Promise<void> => {
    let quiet = 0;
    for (let turn = 0; quiet < QUIET_TURNS; turn++) {
      if (turn > MOST_TURNS)
        throw new Error("The network does not come to rest: something in the test answers itself for ever.");
      const before = movements;
      // Promises and `nextTick` are done within a turn: only what asks for another turn can outlast it.
      await new Promise((resolve) => setImmediate(resolve));
      quiet = movements === before && turns === 0 ? quiet + 1 : 0;
    }
  };

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
    outside(answer) {
      if (!(answer instanceof Promise)) return answer;
      outside.add(answer);
      const answered = (): void => {
        movements++;
        outside.delete(answer);
      };
      answer.then(answered, answered);
      return answer;
    },
    async settled() {
      await rest();
      while (outside.size > 0) {
        const before = movements;
        await new Promise<void>((resolve) => {
          const patience = systemClock.setTimer(resolve, OUTSIDE);
          const answered = (): void => {
            patience.cancel();
            resolve();
          };
          for (const answer of outside) answer.then(answered, answered);
        });
        if (movements === before) outside.clear();
        await rest();
      }
    },
  };
}
