import type { Goal, LineUp, MatchEvent, Phase, PhaseChange, Score, ShootOut } from "../events.ts";

/** A line of a match's feed. */
export type FeedItem = Goal | PhaseChange | ShootOut;

/** What a page knows of a match, made of nothing but the messages of its channel. */
export interface MatchModel {
  readonly lineUp: LineUp | undefined;
  readonly score: Score;
  readonly shootOut: Score | undefined;
  readonly phase: Phase;
  /** Second of the replay in which the phase began. */
  readonly since: number;
  readonly length: 90 | 120;
  readonly feed: readonly FeedItem[];
}

export const EMPTY_MATCH: MatchModel = {
  lineUp: undefined,
  score: [0, 0],
  shootOut: undefined,
  phase: "before",
  since: 0,
  length: 90,
  feed: [],
};

/** The match after one more message. */
export function reduceMatch(match: MatchModel, event: MatchEvent): MatchModel {
  switch (event.kind) {
    case "line-up":
      return { ...match, lineUp: event };
    case "goal":
      return { ...match, score: event.score, feed: [...match.feed, event] };
    case "shoot-out":
      return { ...match, shootOut: event.score, feed: [...match.feed, event] };
    case "phase":
      return {
        ...match,
        phase: event.phase,
        since: event.at,
        length: event.phase === "before extra time" ? 120 : match.length,
        feed: [...match.feed, event],
      };
  }
}

/** `Full time`, with what decided it: `after extra time`, `4–2 on penalties`. */
export function verdict({ phase, length, shootOut }: MatchModel): string {
  if (phase !== "over") return "";
  if (shootOut !== undefined) return `${shootOut[0]}–${shootOut[1]} on penalties`;
  return length === 120 ? "after extra time" : "";
}

/** A goal as a sentence, for who can't see the score. */
export function goalSentence(goal: Goal, { teams }: LineUp): string {
  const [one, two] = teams;
  const how = goal.how === undefined ? "" : `, ${goal.how}`;
  const minute = goal.minute.replace("+", " plus ");
  return `Goal for ${teams[goal.side - 1]?.name}: ${goal.scorer}, minute ${minute}${how}. ${one.name} ${goal.score[0]}, ${two.name} ${goal.score[1]}.`;
}
