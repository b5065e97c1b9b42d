import type { Score, Side, Team } from "./events.ts";

export interface GoalFact {
  readonly side: Side;
  /** `9`, `45+2`. */
  readonly minute: string;
  readonly scorer: string;
  readonly how?: "penalty" | "own goal";
}

/** What is on record about a match. */
export interface Match {
  /** Date at the ground. */
  readonly day: string;
  /** ISO, UTC. */
  readonly kickOff: string;
  readonly round: string;
  readonly ground: string;
  readonly teams: readonly [Team, Team];
  /** After 90 minutes. */
  readonly fullTime: Score;
  /** After 120 minutes; only where extra time was played. */
  readonly extraTime?: Score;
  readonly shootOut?: Score;
  /** In the order in which they were scored. */
  readonly goals: readonly GoalFact[];
}

/** The shipped file, `data/matches.json`; its `fields` says what stands in a row. */
export interface MatchFile {
  readonly teams: Readonly<Record<string, string>>;
  readonly matches: readonly MatchRow[];
}

type MatchRow = readonly [
  day: string,
  kickOff: string,
  round: string,
  ground: string,
  code1: string,
  code2: string,
  score: string,
  goals: readonly string[],
];

/** Unpacks the shipped file. */
export function readMatches(file: MatchFile): Match[] {
  return file.matches.map(([day, kickOff, round, ground, code1, code2, score, goals]) => {
    const team = (code: string): Team => ({ code, name: file.teams[code] ?? code });
    return {
      day,
      kickOff,
      round,
      ground,
      teams: [team(code1), team(code2)],
      goals: goals.map(readGoal),
      ...readScore(score),
    };
  });
}

/** `1 45+2p Name`: the side that it counts for, the minute, `p` penalty or `o` own goal, the scorer. */
function readGoal(text: string): GoalFact {
  const [, side, minute = "", mark, scorer = ""] = /^([12]) ([\d+]+)([po]?) (.+)$/.exec(text) ?? [];
  const how =
    mark === "p" ? ({ how: "penalty" } as const) : mark === "o" ? ({ how: "own goal" } as const) : {};
  return { side: side === "1" ? 1 : 2, minute, scorer, ...how };
}

/** `1-1 et 1-1 p 3-4`: after 90 minutes, after extra time, the shoot-out. */
function readScore(text: string): Pick<Match, "fullTime" | "extraTime" | "shootOut"> {
  const parts = /^(\S+)(?: et (\S+))?(?: p (\S+))?$/.exec(text) ?? [];
  const [fullTime, extraTime, shootOut] = parts.slice(1).map((part) => {
    const [one, two] = (part ?? "").split("-").map(Number);
    return part === undefined ? undefined : ([one ?? 0, two ?? 0] as const);
  });
  return { fullTime: fullTime ?? [0, 0], ...(extraTime && { extraTime }), ...(shootOut && { shootOut }) };
}
