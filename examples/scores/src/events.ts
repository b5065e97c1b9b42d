/**
 * What travels through the channels of this example: the words that its server and its page share. There is
 * nothing here but types, so neither side loads the other's code.
 *
 * @module
 */

/** One of the two sides: 1 is named first. */
export type Side = 1 | 2;

export type Score = readonly [number, number];

/** Part of a match. `before` and `over` have no running clock, nor have the breaks. */
export type Phase =
  | "before"
  | "first half"
  | "half-time"
  | "second half"
  | "before extra time"
  | "extra time, first half"
  | "extra time, second half"
  | "before penalties"
  | "penalties"
  | "over";

export interface Team {
  readonly code: string;
  readonly name: string;
}

/** Who plays where: the first message of a match's channel, so that the channel alone tells the whole match. */
export interface LineUp {
  readonly kind: "line-up";
  readonly teams: readonly [Team, Team];
  /** Group, or round after the groups. */
  readonly round: string;
  readonly ground: string;
  /** When it was really played: ISO, UTC. */
  readonly kickOff: string;
}

export interface PhaseChange {
  readonly kind: "phase";
  readonly phase: Phase;
  /** Second of the replay in which it began: with the replay's clock this gives the match's clock. */
  readonly at: number;
  readonly score: Score;
}

export interface Goal {
  readonly kind: "goal";
  /** The side that it counts for. */
  readonly side: Side;
  /** As football counts: `9`, `45+2`. */
  readonly minute: string;
  readonly scorer: string;
  readonly how?: "penalty" | "own goal";
  /** After it. */
  readonly score: Score;
}

/** Only its end is on record, not the single kicks. */
export interface ShootOut {
  readonly kind: "shoot-out";
  readonly score: Score;
}

/** A message of `scores/{run}/{match}`. */
export type MatchEvent = LineUp | PhaseChange | Goal | ShootOut;

/** What is being replayed; key `run` of the channel `scores/replay`. */
export interface Run {
  readonly kind: "run";
  /** Grows by one with every start. It stands in the channel names, so each replay has channels of its own. */
  readonly run: number;
  /** Date at the ground, `2026-06-24`. */
  readonly day: string;
  /** Channel names of its matches, by kick-off. */
  readonly matches: readonly string[];
}

/** Where the replay stands; key `clock` of the channel `scores/replay`. */
export interface Clock {
  readonly kind: "clock";
  readonly run: number;
  /** Seconds of match time since the common kick-off. */
  readonly second: number;
  /** Match seconds per second; 0 is paused. */
  readonly speed: number;
  readonly over: boolean;
}

/** A message of `scores/replay`. */
export type ReplayEvent = Run | Clock;

/** A day that can be chosen. */
export interface Day {
  readonly date: string;
  readonly round: string;
  readonly matches: readonly string[];
}
