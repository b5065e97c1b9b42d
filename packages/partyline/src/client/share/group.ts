import type { ClientState } from "../client-types.ts";
import type { Connection } from "../connection.ts";
import type { ConnectionPort } from "../connection-port.ts";
import { connectionLost } from "../errors.ts";
import { createHub, type Hub } from "./hub.ts";
import { lifeOf } from "./members.ts";
import { fromPlain, type RoomMessage, type Status } from "./messages.ts";
import { createSession, type Session } from "./session.ts";
import type { Tabs, Voice } from "./tabs.ts";

/** What a group needs, and whom it tells. */
export interface GroupPort extends ConnectionPort {
  readonly tabs: Tabs;
  /** What the names of all that these tabs share begin with. */
  readonly base: string;
  /** There is no place for this tab in the group. */
  full(): void;
}

/**
 * A tab among those that share one connection. The one that holds the group's lock is the leader: it makes the hub,
 * which has the connection. All, the leader too, talk to the hub.
 *
 *            ┌──── let go, no answer ────┐
 *            ▼                           │
 *   seeking a hub ──one tells its name──▶ with a hub
 *            │ ▲                         ▲
 *            │ └── the lock was stolen ──┤
 *            └── the lock is there; no hub has answered: the lock is stolen ──▶ leader
 */
export type Group = Pick<Connection, "link" | "switchTo"> & { close(): void };

/** How long a hub may take to tell its name before its tab is taken for frozen, ms; and what chance adds at most. */
const PATIENCE = 1000;
const JITTER = 500;

export function createGroup(port: GroupPort): Group {
  const { base, runtime, tabs } = port;
  const newId = (): string =>
    Array.from(runtime.randomBytes(), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const tab = newId();
  let hub: Hub | undefined;
  let session: Session | undefined;
  let room: Voice | undefined;
  let wasLive = false;
  let over = false;
  let stopLock = (): void => undefined;
  let stopTimer = (): void => undefined;

  const tell = (state: ClientState): void => {
    wasLive ||= state.status === "live";
    const status = state.status === "connecting" && wasLive ? "reconnecting" : state.status;
    port.changed({ ...state, status, shared: hub ? "leader" : "follower" });
  };
  const tellStatus = ({ state, reason, now }: Status): void => {
    // Each page has a clock of its own.
    const shift = runtime.now() - now;
    const retryAt = state.retryAt === undefined ? undefined : state.retryAt + shift;
    tell({ ...state, since: state.since + shift, retryAt, reason: reason && fromPlain(reason) });
  };
  /** Ends the present session, and begins another one where there is a hub. */
  const follow = (next: string | undefined): void => {
    const ended = session;
    const live = ended?.link !== undefined;
    session = undefined;
    stopTimer();
    ended?.close();
    if (live) {
      tell({
        status: "reconnecting",
        since: runtime.now(),
        reason: connectionLost("The tab with the connection has gone."),
      });
      port.interrupted(false);
    }
    if (!next || over) return;
    session = createSession({ ...port, tab, status: tellStatus, lost }, next);
  };
  const lost = (): void => {
    follow(hub?.id);
    if (!session) seek();
  };
  const seek = (): void => {
    if (over) return;
    room?.post({ t: "who" } satisfies RoomMessage);
    stopTimer();
    stopTimer = runtime.after(PATIENCE + runtime.random() * JITTER, () => {
      stopLock();
      askForLock(true);
    });
  };
  const askForLock = (steal: boolean): void => {
    stopLock = tabs.lock(base, {
      steal,
      granted() {
        hub = createHub(port, tabs, base, newId());
        room?.post({ t: "lead", hub: hub.id } satisfies RoomMessage);
        follow(hub.id);
      },
      lost(stolen) {
        hub?.close();
        hub = undefined;
        if (!stolen) {
          port.full();
          return;
        }
        askForLock(false);
        if (!session) seek();
      },
    });
  };
  const hearRoom = (message: RoomMessage): void => {
    if (message.t === "who") {
      if (hub) room?.post({ t: "hub", hub: hub.id } satisfies RoomMessage);
      // An answer may come from a hub that does not know yet that it is none any more; who has one stays.
    } else if (message.t === "lead" ? session?.hub !== message.hub : !session) follow(message.hub);
  };

  // A hub knows by this lock that the tab is alive: so it is there before the tab says a word.
  const stopLife = tabs.lock(lifeOf(base, tab), {
    granted() {
      room = tabs.join<RoomMessage>(base, hearRoom);
      askForLock(false);
      if (!session) seek();
    },
    lost: () => port.full(),
  });

  return {
    get link() {
      return session?.link;
    },
    async switchTo(name) {
      await session?.switchTo(name);
    },
    close() {
      over = true;
      stopTimer();
      session?.close();
      session = undefined;
      hub?.close();
      hub = undefined;
      stopLock();
      stopLife();
      room?.close();
    },
  };
}
