import type { PartylineError } from "../protocol/partyline-error.ts";
import { backoffDelay } from "./backoff.ts";
import type { ClientState, ClientStatus } from "./client-types.ts";
import type { ConnectionPort } from "./connection-port.ts";
import { closedError, connectionLost, silence } from "./errors.ts";
import type { Guard, Keeper } from "./keeper.ts";
import type { Link, LinkHost, TransportName } from "./link.ts";

/**
 * Keeps one link open.
 *
 *   opening ──welcome──▶ live ──end──▶ waiting ──backoff, wake──▶ opening
 *      │ │                │ ├ wake: suspect, and probed ──answer──▶ live, or ──silence──▶ opening
 *      │ │                │ └ a better or asked-for transport, or the successor that a server which drains asks for:
 *      │ │                │   opened beside it, takes over at its welcome
 *      │ └ silence: the next transport beside it, the first welcome counts; the last end ▶ waiting, or ▶ offline
 *      │                  └ the page is left ▶ offline, until it is back, or the network is
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
  link?: Link;
  close(): void;
}

/** What has worked is waited for longer: a server that is slow for once must not get three times the connections. */
const TRUST = 3;

export function createConnection(port: ConnectionPort): Connection {
  const { runtime, timing } = port;
  const memory = `partyline:${port.request.url}`;
  let order = port.order;
  /** What worked last, or is to be tried next. */
  let preferred = (order.find((name) => name === runtime.recall(memory)) ?? order[0]) as TransportName;
  /** Why a transport was not waited for. */
  const doubts: Partial<Record<TransportName, string>> = {};
  let failures = 0;
  let upgradeDelay = timing.upgradeInterval;
  let { pingInterval } = port.request;
  let keeper: Promise<Keeper> | undefined;
  let live: Dial | undefined;
  /** When it was welcomed. */
  let liveSince = 0;
  /** Being opened: the next link, or beside `live`. */
  const dials = new Set<Dial>();
  /** Transports to open when those being opened fail or take long. */
  let rest: readonly TransportName[] = [];
  /** Of what is to come: the next attempt, the next transport, the next try beside the live one. */
  let stopTimer = (): void => undefined;
  /** The server has asked to leave the live link. */
  let leaving = false;
  /** The page was left. */
  let away = false;
  /** Makes links careful while something on the way objects to what is sent. */
  let guard: Guard = (openLink) => openLink;
  let state: ClientState = { status: "connecting", since: runtime.now() };

  const tell = (status: ClientStatus, more?: Omit<ClientState, "status" | "since">): void => {
    state = { status, since: status === state.status ? state.since : runtime.now(), ...more };
    port.changed(state);
  };
  /** Live or suspect, and over what. */
  const tellLive = (status: ClientStatus, transport: TransportName): void => {
    tell(status, { transport, because: transport === order[0] ? undefined : { ...doubts } });
  };
  /** Where it can't be loaded the client notices later, by the silence. */
  const keep = (use: (keeper: Keeper) => void): void => void keeper?.then(use, () => undefined);
  const later = (ms: number, run: () => void): void => {
    stopTimer();
    stopTimer = runtime.after(ms, run);
  };
  const betterThan = (name: TransportName): TransportName[] => order.slice(0, order.indexOf(name));
  const closeDials = (): void => {
    for (const dial of dials) dial.close();
  };

  /** Opens these, one after the other or beside each other, until one is welcomed. */
  const begin = (transports: readonly TransportName[]): void => {
    rest = transports.filter((name) => [...dials].every(({ transport }) => transport !== name));
    next();
  };
  const attempt = (): void => begin([...new Set([preferred, ...order])]);
  const next = (): void => {
    const [transport, ...others] = rest;
    rest = others;
    stopTimer();
    if (!transport) return;
    open(transport);
  };
  /** Opens the next transport if this one takes long. */
  const hurry = (transport: TransportName): void => {
    const trusted = transport === preferred && state.status !== "connecting";
    const patience = timing.fallbackDelay * (trusted ? TRUST : 1);
    later(patience, () => {
      doubts[transport] = `Nothing came within ${patience} ms.`;
      next();
    });
  };

  /** `done` is told how it went where the link is to take over from the present one. */
  const open = (transport: TransportName, done?: (error?: PartylineError) => void): void => {
    let over = false;
    /** Whether the token is there: before that a failure is not the transport's. */
    let hasToken = false;
    const end: LinkHost["end"] = (error, silent) => {
      if (over) return;
      done?.(error);
      dial.close();
      if (dial === live) lost(error, silent);
      else failed(hasToken && transport, error);
    };
    const broken = (cause?: unknown): void =>
      end(connectionLost(hasToken ? "The connection failed." : "The token function gave no token.", cause));
    const stopDeadline = runtime.after(timing.openTimeout, () => (hasToken ? end(silence()) : broken()));
    const dial: Dial = {
      transport,
      close() {
        over = true;
        dials.delete(dial);
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
        if (dials.has(dial)) {
          stopDeadline();
          goLive(dial);
          done?.();
        }
      },
      alive() {
        if (state.status !== "suspect" || dial !== live) return;
        closeDials();
        tellLive("live", transport);
        openBeside();
      },
      drain() {
        if (dial !== live || leaving) return;
        leaving = true;
        // A server that asks each new connection to leave is left with backoff.
        if (!hasLasted() && failures > 0) openBeside();
        else begin([transport]);
      },
      end,
    };
    dials.add(dial);
    port
      .token()
      .then(async (token) => {
        if (over) return;
        hasToken = true;
        if (!done) hurry(transport);
        const openLink = guard(await port.transports[transport]());
        if (!over) dial.link = openLink({ ...port.request, pingInterval, token, host });
      })
      .catch(broken);
  };

  const goLive = (dial: Dial): void => {
    const old = live;
    const { transport } = dial;
    const better = betterThan(transport);
    if (leaving) failures++;
    liveSince = runtime.now();
    dials.delete(dial);
    live = dial;
    preferred = transport;
    leaving = false;
    rest = [];
    for (const other of dials) if (!better.includes(other.transport)) other.close();
    keeper ??= port.keeper({ memory, interval: pingInterval, wake, leave });
    keep(({ works }) => (guard = works(transport)));
    tellLive("live", transport);
    if (dial.link) port.connected(dial.link);
    // Closed only now: what it brought until here was told, and what is unsettled was sent again over the new one.
    old?.close();
    openBeside();
  };
  /** Sets the time for what is to be opened beside the live link: its successor, or better transports. */
  const openBeside = (error?: PartylineError): void => {
    stopTimer();
    if (!live || dials.size > 0) return;
    const { transport } = live;
    const better = betterThan(transport);
    if (leaving) later(backoff(error), () => begin([transport]));
    else if (better[0]) {
      later(upgradeDelay, () => begin(better));
      upgradeDelay = Math.min(upgradeDelay * 2, timing.upgradeInterval * 10);
    }
  };

  /** A link ended before it was live. */
  const failed = (transport: TransportName | false, error: PartylineError): void => {
    if (transport) doubts[transport] = error.message;
    // A server that asks for time, or says no, was reached: another transport would only ask it again. So it would
    // the function that gives the token.
    const decided = !transport || error.retryAfter || !error.retryable;
    if (live) port.interrupted(true);
    if (decided) rest = [];
    if (rest[0]) next();
    else if (live) openBeside(error);
    else if (decided || dials.size === 0) {
      closeDials();
      retry(error, backoff(error));
    }
  };
  /** Whether the live link lasted, which makes earlier failures forgotten. */
  const hasLasted = (): boolean => {
    const lasted = runtime.now() - liveSince >= timing.stableAfter;
    if (lasted) failures = 0;
    return lasted;
  };
  const lost: LinkHost["end"] = (error, silent) => {
    const probed = state.status === "suspect";
    const lasted = hasLasted();
    if (lasted) upgradeDelay = timing.upgradeInterval;
    if (!probed)
      keep(({ ended }) => {
        [pingInterval, guard, preferred] = ended(error, lasted, order, preferred, silent);
      });
    drop(error, probed ? 0 : backoff(error));
  };
  const drop = (reason: PartylineError, delay: number): void => {
    live = undefined;
    retry(reason, delay);
    port.interrupted(false);
  };
  const backoff = (reason?: PartylineError): number =>
    backoffDelay(failures++, timing, runtime.random, reason);
  const retry = (reason: PartylineError, delay: number): void => {
    stopTimer();
    if (!reason.retryable) close(reason);
    else if (away) {
      closeDials();
      tell("offline", { reason });
    } else {
      let status: ClientStatus = state.status === "connecting" ? "connecting" : "reconnecting";
      if (!runtime.isOnline()) {
        status = "offline";
        // What a runtime says of its network may be wrong.
        delay = Math.max(delay, timing.maxDelay);
      }
      later(delay, attempt);
      tell(status, { reason, retryAt: runtime.now() + delay });
    }
  };

  const wake = (): void => {
    away = false;
    if (state.status === "suspect") return;
    // They may be as dead as the live one.
    closeDials();
    if (!live) {
      retry(state.reason ?? silence(), 0);
      return;
    }
    tellLive("suspect", live.transport);
    live.link?.probe();
    // Opened before the probe has given up; where the answer comes after all, it is let go.
    later(timing.fallbackDelay, attempt);
  };
  const leave = (): void => {
    away = true;
    live?.close();
    drop(connectionLost("The page was left."), 0);
  };
  const stopNetwork = runtime.onNetwork(wake);

  const close = (reason: PartylineError): void => {
    if (state.status === "closed") return;
    stopNetwork();
    keep(({ stop }) => stop());
    stopTimer();
    closeDials();
    live?.close();
    live = undefined;
    tell("closed", { reason });
  };

  attempt();
  return {
    get state() {
      return state;
    },
    get link() {
      return live?.link;
    },
    async switchTo(name) {
      if (state.status === "closed") throw closedError("The client");
      order = [...new Set([name, ...port.order])];
      preferred = name;
      if (!live || live.transport === name) return;
      await new Promise<void>((resolve, reject) =>
        open(name, (error) => (error ? reject(error) : resolve())),
      );
    },
    close,
  };
}
