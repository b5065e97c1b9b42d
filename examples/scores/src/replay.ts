import type { Clock, Day, MatchEvent, ReplayEvent, Run } from "./events.ts";
import type { Match } from "./matches.ts";
import { type Moment, timeline } from "./timeline.ts";

/** Match seconds per second; 0 pauses. */
export const SPEEDS = [0, 1, 10, 60, 300] as const;

/** What a replay needs from outside: the time, and somewhere to tell. */
export interface ReplayPorts {
  /** Milliseconds that never go back. */
  now(): number;
  tellMatch(channel: string, event: MatchEvent): void;
  /** Each `kind` replaces the one before it. */
  tellReplay(event: ReplayEvent): void;
}

interface Due extends Moment {
  readonly channel: string;
}

/**
 * Plays the matches of a day again, all of them from a common kick-off. It owns no timer: whoever owns one calls
 * {@link tick}, and everything that has become due since is told, in order.
 */
export class Replay {
  readonly #matches: readonly Match[];
  readonly #ports: ReplayPorts;
  #run: Run = { kind: "run", run: 0, day: "", matches: [] };
  #due: Due[] = [];
  #end = 0;
  #speed = 60;
  /** Where the replay stood when it was last asked, and when that was. */
  #second = 0;
  #asked = 0;

  constructor(matches: readonly Match[], ports: ReplayPorts) {
    this.#matches = matches;
    this.#ports = ports;
  }

  get run(): Run {
    return this.#run;
  }

  get clock(): Clock {
    const { run } = this.#run;
    return {
      kind: "clock",
      run,
      second: Number(this.#second.toFixed(2)),
      speed: this.#speed,
      over: this.#second >= this.#end,
    };
  }

  get days(): Day[] {
    const dates = [...new Set(this.#matches.map((match) => match.day))];
    return dates.map((date) => {
      const matches = this.#matches.filter((match) => match.day === date);
      return {
        date,
        round: roundOf(matches),
        matches: matches.map(({ teams }) => `${teams[0].code}–${teams[1].code}`),
      };
    });
  }

  /** Begins a day from its kick-off, in channels of its own. */
  start(day: string): void {
    const matches = this.#matches.filter((match) => match.day === day);
    if (matches.length === 0) throw new RangeError(`There is no match on ${day}.`);
    const run = this.#run.run + 1;
    const plays = matches.map((match) => ({ channel: channelOf(run, match), moments: timeline(match) }));
    this.#run = { kind: "run", run, day, matches: plays.map(({ channel }) => channel) };
    this.#due = plays
      .flatMap(({ channel, moments }) => moments.map((moment) => ({ ...moment, channel })))
      .sort((a, b) => a.second - b.second);
    this.#end = this.#due.at(-1)?.second ?? 0;
    this.#second = 0;
    this.#asked = this.#ports.now();
    // What belongs to kick-off is told before the run is: whoever follows its channels finds something there.
    this.#tellDue();
    this.#ports.tellReplay(this.#run);
    this.#ports.tellReplay(this.clock);
  }

  /** Changes the pace from now on; the time until now counts at the old one. */
  setSpeed(speed: number): void {
    this.tick();
    this.#speed = speed;
    this.#ports.tellReplay(this.clock);
  }

  /** Tells what has become due, and the clock while it runs. */
  tick(): void {
    const now = this.#ports.now();
    const before = this.#second;
    this.#second = Math.min(this.#end, before + ((now - this.#asked) / 1000) * this.#speed);
    this.#asked = now;
    if (this.#second === before) return;
    this.#tellDue();
    this.#ports.tellReplay(this.clock);
  }

  #tellDue(): void {
    const later = this.#due.findIndex(({ second }) => second > this.#second);
    for (const { channel, event } of this.#due.splice(0, later === -1 ? this.#due.length : later)) {
      this.#ports.tellMatch(channel, event);
    }
  }
}

function channelOf(run: number, { teams }: Match): string {
  return `scores/${run}/${teams[0].code}-${teams[1].code}`.toLowerCase();
}

/** A day of the groups has matches of several; after the groups all are of one round. */
function roundOf(matches: readonly Match[]): string {
  const rounds = [...new Set(matches.map(({ round }) => round))];
  if (rounds.length === 1) return rounds[0] ?? "";
  const groups = rounds.map((round) => round.replace("Group ", "")).sort();
  return `Groups ${groups.slice(0, -1).join(", ")} and ${groups.at(-1)}`;
}
