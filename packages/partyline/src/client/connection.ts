import type { PartylineError } from "../protocol/partyline-error.ts";
import { type BackoffOptions, backoffDelay } from "./backoff.ts";
import type { ClientState, ClientStatus } from "./client-types.ts";
import { closedError, connectionLost, silence } from "./errors.ts";
import type { Link, LinkHost, LinkRequest, TransportName, Transports } from "./link.ts";
import type { Runtime } from "./runtime.ts";

/** Times of a connection, ms. */
export interface ConnectionTiming extends BackoffOptions {
  /** How long a transport may take until its first frame. */
  readonly openTimeout: number;
  /** A connection that lasted this long was a good one: failures are forgotten. */
  readonly stableAfter: number;
  /** Until a better transport is tried again; doubles up to ten times this. */
  readonly upgradeInterval: number;
}

/** What the connection needs, and whom it tells. */
export interface ConnectionPort {
  readonly runtime: Runtime;
  readonly timing: ConnectionTiming;
  /** In order of preference. */
  readonly order: readonly TransportName[];
  readonly transports: Transports;
  readonly request: Omit<LinkRequest, "host" | "token">;
  token(): Promise<string | undefined>;
  readonly host: Omit<LinkHost, "end">;
  /** A link is there on which nothing was published yet: the first one, or one that takes over. */
  connected(link: Link): void;
  /** A link is gone: the present one, or, while that is `live`, one that was being opened beside it. */
  interrupted(live: boolean): void;
  changed(state: ClientState): void;
}

/**
 * Keeps one link open.
 *
 *   opening ──welcome──▶ live ──end──▶ waiting ──backoff──▶ opening
 *      │ │                │ └ a better or asked-for transport: opened beside it, takes over at its welcome
 *      │ └ end: the next transport; after the last one ▶ waiting, or ▶ offline until the runtime is online
 *      └ an end for good, close() ▶ closed
 */
export interface Connection {
  readonly state: ClientState;
  readonly link: Link | undefined;
  /** Prefers a transport from now on, and changes to it. */
  readonly switchTo: (name: TransportName) => Promise<void>;
  close(error: PartylineError): void;
}

/** A link from the wish for it to its end. */
interface Dial {
  readonly transport: TransportName;
  link: Link | undefined;
  /** When it was welcomed; `undefined` before. */
  since: number | undefined;
  close(): void;
}

/** Ends within `stableAfter`, one after the other, that make the next transport the one to begin with. */
const MAX_YOUNG_ENDS = 3;

export function createConnection(port: ConnectionPort): Connection {
  const { runtime, timing } = port;
  let order = port.order;
  /** What worked last, or is to be tried next. */
  let preferred = order[0] as TransportName;
  let failures = 0;
  let youngEnds = 0;
  let upgradeDelay = timing.upgradeInterval;
  let live: Dial | undefined;
  /** Being opened: the next link, or one beside `live`. */
  let dialing: Dial | undefined;
  /** Of what is to come: the next attempt, or the next try of a better transport. */
  let stopTimer = (): void => undefined;
  let state: ClientState = { status: "connecting", since: runtime.now() };

  const tell = (status: ClientStatus, reason?: PartylineError, transport?: TransportName): void => {
    state = { status, since: runtime.now(), reason, transport };
    port.changed(state);
  };
  const later = (ms: number, run: () => void): void => {
    stopTimer();
    stopTimer = runtime.after(ms, run);
  };

  /** `done` is told how it went where the link is to take over from the present one. */
  const open = (
    transport: TransportName,
    tried: readonly TransportName[] = [],
    done?: (error?: PartylineError) => void,
  ): void => {
    let over = false;
    const end = (error: PartylineError): void => {
      if (over) return;
      done?.(error);
      dial.close();
      if (dial === live) {
        lost(dial, error);
        return;
      }
      dialing = undefined;
      if (live) {
        port.interrupted(true);
        upgradeLater();
        return;
      }
      const next = order.find((name) => name !== transport && !tried.includes(name));
      // A server that asks for time was reached: another transport would only ask it again.
      if (next && error.retryable && !error.retryAfter) open(next, [...tried, transport]);
      else retry(error);
    };
    const stopDeadline = runtime.after(timing.openTimeout, () => end(silence()));
    const dial: Dial = {
      transport,
      link: undefined,
      since: undefined,
      close() {
        over = true;
        stopDeadline();
        dial.link?.close();
        // Settles nothing where it was told before.
        done?.(closedError("The transport"));
      },
    };
    const host: LinkHost = {
      ...port.host,
      welcome(frame) {
        port.host.welcome(frame);
        if (dial.since === undefined) {
          stopDeadline();
          goLive(dial);
          done?.();
        }
      },
      end,
    };
    dialing?.close();
    dialing = dial;
    Promise.all([port.token(), port.transports[transport]()])
      .then(([token, openLink]) => {
        if (!over) dial.link = openLink({ ...port.request, token, host });
      })
      .catch((cause: unknown) => end(connectionLost("The connection failed.", cause)));
  };

  const goLive = (dial: Dial): void => {
    const old = live;
    dial.since = runtime.now();
    dialing = undefined;
    live = dial;
    preferred = dial.transport;
    tell("live", undefined, preferred);
    if (dial.link) port.connected(dial.link);
    // Closed only now: what it brought until here was told, and what is unsettled was sent again over the new one.
    old?.close();
    upgradeLater();
  };
  const upgradeLater = (): void => {
    const [best = preferred] = order;
    stopTimer();
    if (live?.transport === best) return;
    later(upgradeDelay, () => open(best));
    upgradeDelay = Math.min(upgradeDelay * 2, timing.upgradeInterval * 10);
  };

  const lost = (dial: Dial, error: PartylineError): void => {
    live = undefined;
    dialing?.close();
    if (runtime.now() - (dial.since ?? 0) >= timing.stableAfter) {
      failures = youngEnds = 0;
      upgradeDelay = timing.upgradeInterval;
    } else if (++youngEnds >= MAX_YOUNG_ENDS) {
      youngEnds = 0;
      preferred = order[(order.indexOf(preferred) + 1) % order.length] as TransportName;
    }
    retry(error);
    port.interrupted(false);
  };
  const retry = (reason: PartylineError): void => {
    if (!reason.retryable) {
      close(reason);
      return;
    }
    if (!runtime.isOnline()) {
      stopTimer();
      tell("offline", reason);
      return;
    }
    later(
      backoffDelay(failures++, timing, () => runtime.random(), reason.retryAfter),
      () => open(preferred),
    );
    if (state.status !== "connecting") tell("reconnecting", reason);
  };

  const stopNetwork = runtime.onNetwork(() => {
    if (live) live.link?.probe();
    else if (!runtime.isOnline()) {
      dialing?.close();
      retry(silence());
    } else {
      if (state.status === "offline") tell("reconnecting", state.reason);
      open(preferred);
    }
  });
  const close = (reason: PartylineError): void => {
    if (state.status === "closed") return;
    stopNetwork();
    stopTimer();
    dialing?.close();
    live?.close();
    live = undefined;
    tell("closed", reason);
  };

  open(preferred);
  return {
    get state() {
      return state;
    },
    get link() {
      return live?.link;
    },
    async switchTo(name) {
      if (state.status === "closed") throw closedError("The client");
      order = [name, ...port.order.filter((other) => other !== name)];
      preferred = name;
      if (!live || live.transport === name) return;
      await new Promise<void>((resolve, reject) =>
        open(name, [], (error) => (error ? reject(error) : resolve())),
      );
    },
    close,
  };
}
