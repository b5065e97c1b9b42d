import type { Phase } from "../events.ts";

interface Running {
  readonly from: number;
  readonly to: number;
}

/** Minutes of the match between which the clock runs. */
const RUNNING: Partial<Record<Phase, Running>> = {
  "first half": { from: 0, to: 45 },
  "second half": { from: 45, to: 90 },
  "extra time, first half": { from: 90, to: 105 },
  "extra time, second half": { from: 105, to: 120 },
};

const STILL: Partial<Record<Phase, string>> = {
  before: "Soon",
  "half-time": "Half-time",
  "before extra time": "Break",
  "before penalties": "Break",
  penalties: "Penalties",
  over: "Full time",
};

export interface ClockFace {
  /** `63′`, `45+2′`, `12:07`, `Half-time`. */
  readonly text: string;
  readonly running: boolean;
  /** How much of the 90 or 120 minutes is played, 0 to 1. */
  readonly played: number;
}

/**
 * The match's clock, from the second of the replay in which its phase began and the second at which the replay is.
 *
 * @param slow Show seconds: at the pace of life a minute is too long to see that the clock runs.
 */
export function clockFace(phase: Phase, elapsed: number, length: 90 | 120, slow: boolean): ClockFace {
  const running = RUNNING[phase];
  if (running === undefined) {
    return { text: STILL[phase] ?? "", running: false, played: playedBefore(phase, length) };
  }
  const minutes = running.from + Math.max(0, elapsed) / 60;
  const played = Math.min(minutes, running.to) / length;
  const over = minutes - running.to;
  if (slow) {
    return {
      text: over < 0 ? digits(minutes) : `${digits(running.to)} +${digits(over)}`,
      running: true,
      played,
    };
  }
  const text = over < 0 ? `${Math.floor(minutes) + 1}′` : `${running.to}+${Math.floor(over) + 1}′`;
  return { text, running: true, played };
}

function playedBefore(phase: Phase, length: 90 | 120): number {
  if (phase === "before") return 0;
  if (phase === "half-time") return 45 / length;
  return phase === "before extra time" ? 90 / length : 1;
}

function digits(minutes: number): string {
  const seconds = Math.floor(minutes * 60);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** Where on the line a minute lies, 0 to 1: added time is drawn at the end of its half. */
export function placeOf(minute: string, length: 90 | 120): number {
  return Math.min(1, Number.parseInt(minute, 10) / length);
}
