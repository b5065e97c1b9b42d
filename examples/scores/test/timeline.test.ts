import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Goal, Phase } from "../src/events.ts";
import { type Match, type MatchFile, readMatches } from "../src/matches.ts";
import { timeline } from "../src/timeline.ts";

const file = join(import.meta.dirname, "../data/matches.json");
const matches = readMatches(JSON.parse(readFileSync(file, "utf8")) as MatchFile);

function play(day: string, code: string): Match {
  const match = matches.find(
    ({ day: date, teams }) => date === day && teams.some((team) => team.code === code),
  );
  if (match === undefined) throw new Error(`No match of ${code} on ${day}`);
  return match;
}

function phases(match: Match): [Phase, number][] {
  return timeline(match).flatMap(({ second, event }) =>
    event.kind === "phase" ? [[event.phase, second / 60]] : [],
  );
}

function goals(match: Match): Goal[] {
  return timeline(match).flatMap(({ event }) => (event.kind === "goal" ? [event] : []));
}

describe("the shipped matches", () => {
  it("are all 104, of 48 teams, with 308 goals", () => {
    expect(matches).toHaveLength(104);
    expect(new Set(matches.flatMap(({ teams }) => teams.map(({ name }) => name))).size).toBe(48);
    expect(matches.flatMap((match) => match.goals)).toHaveLength(308);
  });

  it("have as many goals as their result says", () => {
    for (const match of matches) {
      const counted = goals(match).at(-1)?.score ?? [0, 0];
      expect(counted, `${match.teams[0].name} – ${match.teams[1].name}`).toEqual(
        match.extraTime ?? match.fullTime,
      );
    }
  });
});

describe("a match's timeline", () => {
  it("tells every goal once, in order, never before the one that it follows", () => {
    for (const match of matches) {
      const moments = timeline(match);
      expect(moments.map(({ second }) => second)).toEqual(
        moments.map(({ second }) => second).sort((a, b) => a - b),
      );
      expect(goals(match).map(({ scorer, minute }) => ({ scorer, minute }))).toEqual(
        match.goals.map(({ scorer, minute }) => ({ scorer, minute })),
      );
    }
  });

  it("begins with who plays where, and ends when the match is over", () => {
    const moments = timeline(play("2026-06-11", "MEX"));
    expect(moments[0]?.event).toMatchObject({ kind: "line-up", ground: "Mexico City", round: "Group A" });
    expect(moments.at(-1)?.event).toMatchObject({ kind: "phase", phase: "over", score: [2, 0] });
  });

  it("puts the ninth minute between 8:00 and 9:00", () => {
    const goal = timeline(play("2026-06-11", "MEX")).find(({ event }) => event.kind === "goal");
    expect(goal?.event).toMatchObject({ minute: "9" });
    expect(goal?.second).toBe(8.5 * 60);
  });

  it("lets added time last as long as its goals need", () => {
    // The United States scored in 45+5 and 90+8.
    expect(phases(play("2026-06-12", "USA"))).toEqual([
      ["first half", 0],
      ["half-time", 51],
      ["second half", 54],
      ["over", 108],
    ]);
  });

  it("plays extra time and the shoot-out where there were any", () => {
    const match = play("2026-06-29", "GER");
    expect(phases(match).map(([phase]) => phase)).toEqual([
      "first half",
      "half-time",
      "second half",
      "before extra time",
      "extra time, first half",
      "extra time, second half",
      "before penalties",
      "penalties",
      "over",
    ]);
    expect(timeline(match).at(-2)?.event).toEqual({ kind: "shoot-out", score: [3, 4] });
  });

  it("marks penalties and own goals, and counts them for the side that gains", () => {
    expect(goals(play("2026-06-13", "QAT"))).toMatchObject([
      { side: 2, how: "penalty", score: [0, 1] },
      { side: 1, how: "own goal", scorer: "Miro Muheim", minute: "90+4", score: [1, 1] },
    ]);
  });
});
