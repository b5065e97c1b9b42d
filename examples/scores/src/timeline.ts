import type { MatchEvent, Phase, Score } from "./events.ts";
import type { GoalFact, Match } from "./matches.ts";

/** Something that happens in a match, in seconds of the replay since kick-off. */
export interface Moment {
  readonly second: number;
  readonly event: MatchEvent;
}

const MINUTE = 60;

/** Breaks are cut short: nobody wants to watch a quarter of an hour of nothing. */
const HALF_TIME = 3 * MINUTE;
const SHORT_BREAK = 1 * MINUTE;
const PENALTIES = 4 * MINUTE;

interface Period {
  readonly phase: Phase;
  /** Minutes of the match with which it begins and ends, added time apart. */
  readonly from: number;
  readonly to: number;
  /** Added minutes at the least; the record holds none but those in which a goal fell. */
  readonly added: number;
}

const NORMAL: readonly Period[] = [
  { phase: "first half", from: 0, to: 45, added: 1 },
  { phase: "second half", from: 45, to: 90, added: 3 },
];
const EXTRA: readonly Period[] = [
  { phase: "extra time, first half", from: 90, to: 105, added: 0 },
  { phase: "extra time, second half", from: 105, to: 120, added: 1 },
];

/** Lays out a match in time: every fact once, in order, the score counted along. */
export function timeline(match: Match): Moment[] {
  const { teams, round, ground, kickOff } = match;
  const moments: Moment[] = [{ second: 0, event: { kind: "line-up", teams, round, ground, kickOff } }];
  const periods = match.extraTime === undefined ? NORMAL : [...NORMAL, ...EXTRA];
  let second = 0;
  let score: Score = [0, 0];

  const enter = (phase: Phase): void => {
    moments.push({ second, event: { kind: "phase", phase, at: second, score } });
  };

  for (const period of periods) {
    enter(period.phase);
    const goals = match.goals.filter((goal) => isIn(goal, period));
    for (const [index, goal] of goals.entries()) {
      score = goal.side === 1 ? [score[0] + 1, score[1]] : [score[0], score[1] + 1];
      // Two goals in one minute keep their order by a second each.
      moments.push({
        second: second + secondOf(goal, period) + index,
        event: { kind: "goal", ...goal, score },
      });
    }
    const added = Math.max(period.added, ...goals.map((goal) => addedMinutes(goal) + 1));
    second += (period.to - period.from + added) * MINUTE;
    second += breakAfter(period, match, enter);
  }

  if (match.shootOut !== undefined) {
    enter("penalties");
    second += PENALTIES;
    moments.push({ second, event: { kind: "shoot-out", score: match.shootOut } });
  }
  enter("over");
  return moments;
}

/** Announces the break after a period and tells how long it takes; after the last one there is none. */
function breakAfter({ to }: Period, match: Match, enter: (phase: Phase) => void): number {
  if (to === 45) {
    enter("half-time");
    return HALF_TIME;
  }
  if (to === 90 && match.extraTime !== undefined) enter("before extra time");
  else if (to === 120 && match.shootOut !== undefined) enter("before penalties");
  else return 0;
  return SHORT_BREAK;
}

function isIn({ minute }: GoalFact, { from, to }: Period): boolean {
  const base = Number.parseInt(minute, 10);
  return base > from && base <= to;
}

function addedMinutes({ minute }: GoalFact): number {
  return Number(minute.split("+")[1] ?? 0);
}

/** Football's ninth minute runs from 8:00 to 8:59; the goal is put in the middle of it. */
function secondOf(goal: GoalFact, { from }: Period): number {
  const base = Number.parseInt(goal.minute, 10);
  const added = addedMinutes(goal);
  return (added === 0 ? base - from - 0.5 : base - from + added - 0.5) * MINUTE;
}
