import type { Channel } from "./channel.ts";

/** What an idle channel holds, from that which is missed least. */
export const HOLDS = { nothing: 0, history: 1, state: 2 } as const;

type Holds = (typeof HOLDS)[keyof typeof HOLDS];

/** The ends of a list, whose links are in its channels. */
interface Ends {
  first: Channel | undefined;
  last: Channel | undefined;
}

/**
 * The channels that nobody listens to, by what they hold, longest idle first. The links are in the channels themselves:
 * a publish moves one to the end, and that must cost nothing.
 */
export class IdleLists {
  readonly #lists: Readonly<Record<Holds, Ends>> = {
    [HOLDS.nothing]: { first: undefined, last: undefined },
    [HOLDS.history]: { first: undefined, last: undefined },
    [HOLDS.state]: { first: undefined, last: undefined },
  };

  /** The channel that is idle longest of those that hold this. */
  first(holds: Holds): Channel | undefined {
    return this.#lists[holds].first;
  }

  /** The channel whose loss is missed least: empty channels go first. */
  get least(): Channel | undefined {
    return this.first(HOLDS.nothing) ?? this.first(HOLDS.history) ?? this.first(HOLDS.state);
  }

  add(channel: Channel): void {
    const holds = holdsWhat(channel);
    const list = this.#lists[holds];
    channel.idleIn = holds;
    channel.before = list.last;
    channel.after = undefined;
    if (list.last === undefined) list.first = channel;
    else list.last.after = channel;
    list.last = channel;
  }

  remove(channel: Channel): void {
    const { before, after, idleIn } = channel;
    if (idleIn === undefined) return;
    const list = this.#lists[idleIn];
    if (before === undefined) list.first = after;
    else before.after = after;
    if (after === undefined) list.last = before;
    else after.before = before;
    channel.idleIn = undefined;
    channel.before = undefined;
    channel.after = undefined;
  }

  /** The channel was active just now. */
  touch(channel: Channel): void {
    if (this.#isIn(channel) && channel.after === undefined) return;
    this.remove(channel);
    this.add(channel);
  }

  /** Time may have taken what the channel held. */
  sort(channel: Channel): void {
    if (channel.idleIn !== undefined && !this.#isIn(channel)) this.touch(channel);
  }

  #isIn(channel: Channel): boolean {
    return channel.idleIn === holdsWhat(channel);
  }
}

function holdsWhat({ bytes, log, spec }: Channel): Holds {
  if (bytes === 0) return HOLDS.nothing;
  // Publish ids alone may go like a history.
  return spec.keep === "latest" && log.bytes > 0 ? HOLDS.state : HOLDS.history;
}
