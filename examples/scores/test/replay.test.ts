import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import type { Clock, MatchEvent, ReplayEvent } from "../src/events.ts";
import { type MatchFile, readMatches } from "../src/matches.ts";
import { Replay } from "../src/replay.ts";
import { timeline } from "../src/timeline.ts";

const file = join(import.meta.dirname, "../data/matches.json");
const matches = readMatches(JSON.parse(readFileSync(file, "utf8")) as MatchFile);

let now: number;
let told: { channel: string; event: MatchEvent | ReplayEvent }[];
let replay: Replay;

/** Everything told of a match so far. */
function of(channel: string): MatchEvent[] {
  return told.flatMap((each) => (each.channel === channel ? [each.event as MatchEvent] : []));
}

function clock(): Clock | undefined {
  return told.flatMap(({ event }) => (event.kind === "clock" ? [event] : [])).at(-1);
}

function pass(milliseconds: number): void {
  now += milliseconds;
  replay.tick();
}

beforeEach(() => {
  now = 0;
  told = [];
  replay = new Replay(matches, {
    now: () => now,
    tellMatch: (channel, event) => told.push({ channel, event }),
    tellReplay: (event) => told.push({ channel: "scores/replay", event }),
  });
});

describe("a replay", () => {
  it("tells the line-ups before it tells which channels to follow", () => {
    replay.start("2026-06-24");
    const run = told.findIndex(({ event }) => event.kind === "run");
    expect(told.slice(0, run).map(({ event }) => event.kind)).toEqual(
      Array(6).fill(["line-up", "phase"]).flat(),
    );
    expect(replay.run.matches).toHaveLength(6);
  });

  it("plays all matches of a day at once, sixty times faster than life to begin with", () => {
    replay.start("2026-06-11");
    pass(9_000);
    expect(of("scores/1/mex-rsa")).toContainEqual(expect.objectContaining({ kind: "goal", minute: "9" }));
    expect(of("scores/1/kor-cze")).not.toContainEqual(expect.objectContaining({ kind: "goal" }));
    expect(clock()).toMatchObject({ second: 540, speed: 60, over: false });
  });

  it("tells the same, in the same order, however rarely it is asked", () => {
    replay.start("2026-06-24");
    pass(3_600_000);
    const atOnce = told.filter(({ event }) => event.kind === "goal");
    now = 0;
    told = [];
    replay.start("2026-06-24");
    for (let tick = 0; tick < 2_000; tick += 1) pass(100);
    const slowly = told.filter(({ event }) => event.kind === "goal");
    expect(slowly.map(({ event }) => event)).toEqual(atOnce.map(({ event }) => event));
    expect(atOnce).toHaveLength(
      matches.filter(({ day }) => day === "2026-06-24").flatMap(({ goals }) => goals).length,
    );
  });

  it("counts the time before a change of speed at the old speed", () => {
    replay.start("2026-06-11");
    now += 1_000;
    replay.setSpeed(300);
    pass(1_000);
    expect(clock()?.second).toBe(360);
  });

  it("stands still while it is paused, and says nothing", () => {
    replay.start("2026-06-11");
    replay.setSpeed(0);
    const before = told.length;
    pass(60_000);
    expect(told).toHaveLength(before);
    replay.setSpeed(60);
    pass(1_000);
    expect(clock()?.second).toBe(60);
  });

  it("ends with the last match, tells so once and falls silent", () => {
    replay.start("2026-06-11");
    pass(3_600_000);
    expect(clock()).toMatchObject({ over: true });
    for (const channel of replay.run.matches) expect(of(channel).at(-1)).toMatchObject({ phase: "over" });
    const before = told.length;
    pass(60_000);
    expect(told).toHaveLength(before);
  });

  it("begins anew in channels of its own", () => {
    replay.start("2026-06-11");
    pass(60_000);
    replay.start("2026-06-11");
    expect(replay.run.matches).toEqual(["scores/2/mex-rsa", "scores/2/kor-cze"]);
    expect(of("scores/2/mex-rsa")).toEqual(
      timeline(matches[0] ?? fail())
        .slice(0, 2)
        .map(({ event }) => event),
    );
  });

  it("refuses a day without matches and goes on with the old one", () => {
    replay.start("2026-06-11");
    expect(() => replay.start("2026-06-10")).toThrow(RangeError);
    expect(replay.run.run).toBe(1);
  });

  it("names the days with their rounds", () => {
    const days = replay.days;
    expect(days[0]).toEqual({ date: "2026-06-11", round: "Group A", matches: ["MEX–RSA", "KOR–CZE"] });
    expect(days.find(({ date }) => date === "2026-06-24")?.round).toBe("Groups A, B and C");
    expect(days.at(-1)).toEqual({ date: "2026-07-19", round: "Final", matches: ["ESP–ARG"] });
  });
});

function fail(): never {
  throw new Error("The match is missing.");
}
