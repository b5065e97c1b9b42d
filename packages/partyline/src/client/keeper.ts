import type { TransportName } from "./link.ts";
import { nextPace, type Pace } from "./pace.ts";
import { type PageEvents, watchPage } from "./page.ts";

/** What keeps a client live: loaded when it first is, because nothing of it is needed to become so. */
export interface Keeper {
  /** This transport works: the pages that follow are told. */
  readonly works: (transport: TransportName) => void;
  /**
   * A link has ended.
   *
   * @param silence How long nothing had been heard when it ended without a word, ms.
   * @returns The silence after which the next one should ask, ms.
   */
  readonly ended: (silence: number | undefined) => number;
  readonly stop: () => void;
}

/** What a keeper keeps. */
export interface KeeperRequest extends PageEvents {
  /** Under which it is noted what works. */
  readonly memory: string;
  /** The silence after which a server is asked where nothing speaks against it, ms. */
  readonly interval: number;
}

/** What a keeper needs of the page. */
export interface KeeperPlace {
  /** Listens until the returned function is called. */
  watch(events: PageEvents): () => void;
  note(name: string, value: string): void;
}

const page: KeeperPlace = {
  // Elsewhere nothing sleeps unseen: machines that serve do not.
  watch: (events) => (globalThis.document ? watchPage(events) : () => undefined),
  note(name, value) {
    try {
      // Node has no such place, and warns of it.
      if (globalThis.document) localStorage[name] = value;
    } catch {
      // The page may keep nothing.
    }
  },
};

export function createKeeper(request: KeeperRequest, place: KeeperPlace = page): Keeper {
  const { memory, interval } = request;
  let pace: Pace = { interval };
  return {
    works: (transport) => place.note(memory, transport),
    ended(silence) {
      pace = nextPace(pace, interval, silence);
      return pace.interval;
    },
    stop: place.watch(request),
  };
}
