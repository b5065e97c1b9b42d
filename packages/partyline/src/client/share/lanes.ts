import type { ErrorFrame } from "../../protocol/frames.ts";
import type { Command, Link } from "../link.ts";

/** A command of a tab. */
export interface Cargo extends Pick<Command, "channel" | "first" | "answer"> {
  readonly tab: object;
  readonly fields: string;
}

/**
 * The commands of many tabs on one link. A server holds a channel for the whole connection when it refuses a publish,
 * until it sees one marked first; it can't know that there are several publishers. So at any time one tab alone has
 * commands of a channel under way, in turn, and a hold is the matter of the tab whose command was refused:
 * what that tab had sent after it is dropped here, because the tab sends it again, marked first.
 */
export interface Lanes {
  send(cargo: Cargo): void;
  /** Forgets what the tab has not sent yet. */
  leave(tab: object): void;
}

interface Lane {
  /** Of all tabs, the oldest first. */
  waiting: Flight[];
  /** The tab with commands under way. */
  turn: object | undefined;
  flying: number;
  /** Commands that have left, and how many had when one was marked first last. */
  left: number;
  first: number;
  /** The server waits for one that is marked first. */
  held: boolean;
  readonly terms: Map<object, Term>;
}

interface Flight {
  readonly cargo: Cargo;
  readonly term: number;
}

/** What a tab sends up to its next command that is marked first. */
interface Term {
  number: number;
  /** Nothing of it was refused. */
  open: boolean;
}

/** What may wait in one channel. A client has no more than 512 under way, so that this takes many tabs. */
const MAX_WAITING = 10_000;

export function createLanes(link: Link): Lanes {
  const lanes = new Map<string, Lane>();

  const laneOf = (channel: string): Lane => {
    const known = lanes.get(channel);
    if (known) return known;
    const lane: Lane = {
      waiting: [],
      turn: undefined,
      flying: 0,
      left: 0,
      first: 0,
      held: false,
      terms: new Map(),
    };
    lanes.set(channel, lane);
    return lane;
  };
  const isCurrent = ({ terms }: Lane, { cargo, term }: Flight): boolean => {
    const present = terms.get(cargo.tab);
    return present?.open === true && present.number === term;
  };
  const pump = (channel: string, lane: Lane): void => {
    for (let next = lane.waiting[0]; next; next = lane.waiting[0]) {
      if (lane.flying > 0 && lane.turn !== next.cargo.tab) return;
      lane.waiting.shift();
      if (!isCurrent(lane, next)) continue;
      lane.turn = next.cargo.tab;
      lane.flying++;
      link.send(commandOf(lane, next));
    }
    const { flying, held, terms } = lane;
    if (flying === 0 && !held && [...terms.values()].every(({ open }) => open)) lanes.delete(channel);
  };
  const commandOf = (lane: Lane, flight: Flight): Command => {
    const { cargo } = flight;
    const { channel, fields, tab } = cargo;
    let { first } = cargo;
    let place = 0;
    const landed = (): void => {
      lane.flying--;
      // Not now: this may be in the middle of sending.
      void Promise.resolve().then(() => pump(channel, lane));
    };
    return {
      channel,
      get first() {
        return first;
      },
      fields() {
        if (!isCurrent(lane, flight)) {
          landed();
          return undefined;
        }
        place = ++lane.left;
        first ||= lane.held;
        if (first) {
          lane.first = place;
          lane.held = false;
        }
        return fields;
      },
      answer(frame) {
        if (frame.t === "error") {
          lane.held ||= place >= lane.first;
          const term = lane.terms.get(tab);
          if (term && isCurrent(lane, flight)) term.open = false;
        }
        cargo.answer(frame);
        landed();
      },
    };
  };

  return {
    send(cargo) {
      const { channel, first, tab } = cargo;
      const lane = laneOf(channel);
      const term = lane.terms.get(tab) ?? { number: 0, open: true };
      lane.terms.set(tab, term);
      if (first) {
        term.number++;
        term.open = true;
      }
      if (!term.open) return;
      if (lane.waiting.length >= MAX_WAITING) {
        term.open = false;
        cargo.answer(OVERLOADED);
        return;
      }
      lane.waiting.push({ cargo, term: term.number });
      pump(channel, lane);
    },
    leave(tab) {
      for (const [channel, lane] of lanes) {
        lane.terms.delete(tab);
        pump(channel, lane);
      }
    },
  };
}

const OVERLOADED: ErrorFrame = {
  t: "error",
  code: "overloaded",
  message: "Too many publishes of this channel wait in the tab with the connection.",
  remedy: "Await each publish.",
};
