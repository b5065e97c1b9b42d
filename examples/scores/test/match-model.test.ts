import { describe, expect, it } from "vitest";
import type { Goal, LineUp, MatchEvent } from "../src/events.ts";
import { EMPTY_MATCH, goalSentence, reduceMatch, verdict } from "../src/page/match-model.ts";

const lineUp: LineUp = {
  kind: "line-up",
  teams: [
    { code: "GER", name: "Germany" },
    { code: "PAR", name: "Paraguay" },
  ],
  round: "Round of 32",
  ground: "Boston (Foxborough)",
  kickOff: "2026-06-29T20:30Z",
};
const goal: Goal = {
  kind: "goal",
  side: 2,
  minute: "45+2",
  scorer: "Julio Enciso",
  how: "penalty",
  score: [0, 1],
};

function after(...events: MatchEvent[]): ReturnType<typeof reduceMatch> {
  return events.reduce(reduceMatch, EMPTY_MATCH);
}

describe("a match on the page", () => {
  it("is made of nothing but its channel's messages", () => {
    const match = after(lineUp, { kind: "phase", phase: "first half", at: 0, score: [0, 0] }, goal);
    expect(match).toMatchObject({ lineUp, phase: "first half", score: [0, 1], length: 90 });
    expect(match.feed.map(({ kind }) => kind)).toEqual(["phase", "goal"]);
  });

  it("says what decided it", () => {
    const over: MatchEvent = { kind: "phase", phase: "over", at: 9000, score: [1, 1] };
    const extra: MatchEvent = { kind: "phase", phase: "before extra time", at: 6000, score: [1, 1] };
    expect(verdict(after(over))).toBe("");
    expect(verdict(after(extra, over))).toBe("after extra time");
    expect(verdict(after(extra, { kind: "shoot-out", score: [3, 4] }, over))).toBe("3–4 on penalties");
    expect(verdict(after(extra))).toBe("");
  });

  it("has a sentence for who can't see it", () => {
    expect(goalSentence(goal, lineUp)).toBe(
      "Goal for Paraguay: Julio Enciso, minute 45 plus 2, penalty. Germany 0, Paraguay 1.",
    );
  });
});
