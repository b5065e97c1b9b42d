import type { PartylineError } from "../protocol/partyline-error.ts";
import { carefully, isObjection } from "./careful.ts";
import type { Transport, TransportName } from "./link.ts";
import { nextPace, type Pace } from "./pace.ts";
import { type PageEvents, watchPage } from "./page.ts";

/** What keeps a client live: loaded when it first is, because nothing of it is needed to become so. */
export interface Keeper {
  /** This transport works: the pages that follow are told. Returns the guard of the links that follow. */
  readonly works: (transport: TransportName) => Guard;
  /**
   * A live link has ended.
   *
   * @param lasted Whether it lasted `stableAfter`.
   * @param order All transports, the best one first.
   * @param preferred The one that the next attempt would begin with.
   * @param silence How long nothing had been heard when it ended without a word, in milliseconds.
   * @returns How the next link should be opened.
   */
  readonly ended: (
    error: PartylineError,
    lasted: boolean,
    order: readonly TransportName[],
    preferred: TransportName,
    silence: number | undefined,
  ) => NextLink;
  readonly stop: () => void;
}

/** Wraps a transport. */
export type Guard = (openLink: Transport) => Transport;

/** The silence after which the next link should ask the server, in milliseconds, its guard, and the transport to begin with. */
type NextLink = readonly [interval: number, guard: Guard, preferred: TransportName];

const openAsItIs: Guard = (openLink) => openLink;

/** Ends within `stableAfter`, one after the other, that make the next transport the one to begin with. */
const MAX_YOUNG_ENDS = 3;

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
  let youngEnds = 0;
  /** The transport whose link was ended over what was sent on it, until another one works. */
  let objected: TransportName | undefined;
  const guardOf = (transport: TransportName): Guard => (transport === objected ? carefully : openAsItIs);
  return {
    works(transport) {
      place.note(memory, transport);
      return guardOf(transport);
    },
    ended(error, lasted, order, preferred, silence) {
      pace = nextPace(pace, interval, silence);
      youngEnds = lasted ? 0 : youngEnds + 1;
      const objects = isObjection(error);
      const changes = objects || youngEnds >= MAX_YOUNG_ENDS;
      if (changes) youngEnds = 0;
      // A live link is of the preferred transport.
      objected = objects ? preferred : undefined;
      const next = order[(order.indexOf(preferred) + 1) % order.length];
      return [pace.interval, guardOf(preferred), (changes && next) || preferred];
    },
    stop: place.watch(request),
  };
}
