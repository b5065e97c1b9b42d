import type { Clock, Timer } from "../core/ports.ts";

interface Alarm {
  readonly at: number;
  readonly fire: () => void;
}

/** A {@link Clock} on which time passes only when told to. */
export interface VirtualClock extends Clock {
  /** Ends the turn of the event loop that is under way, and those that it asks for. */
  turn(): void;
  /** Fires the next timer that is due within so many ms; without one, lets them pass and answers false. */
  step(milliseconds: number): boolean;
  /** Lets time pass; timers fire in the order of their times, each in a turn of its own. */
  advance(milliseconds: number): void;
  /** How many timers are set. */
  readonly timers: number;
}

/**
 * Makes a clock for tests.
 *
 * @example
 * ```ts
 * const clock = createVirtualClock();
 * clock.setTimer(() => console.log("a minute later"), 60_000);
 * clock.advance(60_000);
 * ```
 */
export function createVirtualClock(start = 0): VirtualClock {
  const alarms = new Set<Alarm>();
  let ended: (() => void)[] = [];
  let now = start;

  const turn = (): void => {
    while (ended.length > 0) {
      const due = ended;
      ended = [];
      for (const fire of due) fire();
    }
  };

  const nextDue = (until: number): Alarm | undefined => {
    let next: Alarm | undefined;
    for (const alarm of alarms) if (alarm.at <= until && (!next || alarm.at < next.at)) next = alarm;
    return next;
  };

  const clock: VirtualClock = {
    now: () => now,
    get timers() {
      return alarms.size;
    },
    setTimer(fire, delay): Timer {
      const alarm = { at: now + Math.max(0, delay), fire };
      alarms.add(alarm);
      return { cancel: () => void alarms.delete(alarm) };
    },
    nextTurn(fire) {
      ended.push(fire);
    },
    turn,
    step(milliseconds) {
      // Two that let time pass at once: what is left to one of them may be over. The clock never goes back.
      const until = now + Math.max(0, milliseconds);
      const alarm = nextDue(until);
      if (!alarm) {
        now = until;
        return false;
      }
      alarms.delete(alarm);
      now = alarm.at;
      alarm.fire();
      return true;
    },
    advance(milliseconds) {
      const until = now + milliseconds;
      turn();
      while (clock.step(until - now)) turn();
    },
  };
  return clock;
}
