import type { ChannelReader } from "../link.ts";
import { createFeed, type Feed, type FeedPort } from "./feed.ts";
import { type Ask, askOf, placeOf, rateOf, type Reading, type ReadingItem } from "./reading.ts";

/** A tab's attach, as it comes. */
export interface Attach extends Ask {
  readonly n: number;
  give(item: ReadingItem): void;
}

/** One channel of all tabs that read it. */
export interface SharedChannel {
  /** Of the connection, and of the link beside it for readings that have to catch up. */
  readonly main: ChannelReader;
  readonly side: ChannelReader;
  /** Does somebody have to catch up? */
  readonly wantsSide: boolean;
  readonly isEmpty: boolean;
  attach(tab: object, attach: Attach): void;
  detach(tab: object): void;
  /** The connection is gone; `live`: only one that was being opened beside it. */
  interrupted(live: boolean): void;
  sideEnded(): void;
}

/** What a channel asks of the two links, and tells. */
export interface SharedChannelPort {
  reattach(place: "main" | "side", trouble: number): void;
  /** The links may have something to do: attach, detach, begin, end. */
  update(): void;
}

/**
 * Most readings ride on the connection's own attach, which nobody ever sets back: a tab that comes late, or that was
 * away, would hold up all others. Such a reading first catches up on the side, where it asks from its own place, and
 * changes over when it is where the connection's tail begins.
 */
export function createSharedChannel(name: string, port: SharedChannelPort): SharedChannel {
  const readings = new Map<object, Reading>();
  let wantsSide = false;

  const drop = (dropped: Reading): void => {
    for (const [tab, reading] of readings) if (reading === dropped) readings.delete(tab);
    port.update();
  };
  const waiting = (): Reading[] => [...readings.values()].filter(({ feed }) => !feed);
  const feedPort: Pick<FeedPort, "name" | "readings" | "rate" | "drop" | "settle"> = {
    name,
    readings: () => [...readings.values()],
    rate: () => Math.max(...[...readings.values()].map(rateOf)),
    drop,
    settle: () => settle(),
  };
  const openSide = (): Feed =>
    createFeed({
      ...feedPort,
      since: () => waiting().map(askOf)[0],
      reattach: (trouble) => port.reattach("side", trouble),
    });
  const main = createFeed({
    ...feedPort,
    since: () => lowest(waiting()),
    reattach: (trouble) => port.reattach("main", trouble),
  });
  let side = openSide();

  const settle = (): void => {
    const all = [...readings.values()];
    const behind = all.filter((reading) => reading.feed !== main && !main.join(reading));
    for (const reading of behind) if (!reading.feed) side.join(reading);
    const wanted = main.isAttached && behind.length > 0;
    if (side.isAttached && !behind.some(({ feed }) => feed === side)) {
      // Whoever waits now asks for itself.
      side = openSide();
      if (wanted) port.reattach("side", 0);
    }
    if (wanted !== wantsSide) {
      wantsSide = wanted;
      port.update();
    }
  };

  const sideEnded = (): void => {
    for (const reading of readings.values()) if (reading.feed === side) reading.feed = undefined;
    side = openSide();
    wantsSide = false;
    settle();
  };

  return {
    main: main.reader,
    get side() {
      return side.reader;
    },
    get wantsSide() {
      return wantsSide;
    },
    get isEmpty() {
      return readings.size === 0;
    },
    attach(tab, ask) {
      // The connection brings as much as the quickest asks for.
      const quicker = main.isAttached && rateOf(ask) > feedPort.rate();
      readings.set(tab, { ...ask, place: placeOf(ask.since), answered: false, feed: undefined });
      if (quicker) port.reattach("main", 0);
      settle();
      port.update();
    },
    detach(tab) {
      if (!readings.delete(tab)) return;
      settle();
      port.update();
    },
    interrupted(live) {
      main.interrupted(live);
      if (!live) sideEnded();
    },
    sideEnded,
  };
}

/** From where one attach serves most of these: after a change of the tab with the connection all have their places. */
function lowest(readings: readonly Reading[]): string | undefined {
  const [first, ...others] = readings.filter(({ place }) => place);
  const start = others.reduce(
    (found, reading) =>
      found?.place?.epoch === reading.place?.epoch &&
      (reading.place?.offset ?? 0) < (found?.place?.offset ?? 0)
        ? reading
        : found,
    first,
  );
  const asked = start ?? readings[0];
  return asked && askOf(asked);
}
