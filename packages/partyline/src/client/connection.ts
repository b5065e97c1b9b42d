import type { WelcomeFrame } from "../protocol/frames.ts";
import type { PartylineError } from "../protocol/partyline-error.ts";
import { type BackoffOptions, backoffDelay } from "./backoff.ts";
import type { ClientState } from "./client-types.ts";
import { closedError, connectionLost } from "./errors.ts";
import type { Link, LinkEnd, LinkHost, LinkRequest, Transport, TransportName } from "./link.ts";
import type { Runtime } from "./runtime.ts";

/** Times of a connection, ms. */
export interface ConnectionTiming extends BackoffOptions {
  /** How long a transport may take until its first frame. Default 3 000. */
  readonly openTimeout: number;
  /** A connection that lasted this long was a good one: failures are forgotten. Default 10 000. */
  readonly stableAfter: number;
  /** Until a better transport is tried again; doubles up to ten times this. Default 60 000. */
  readonly upgradeInterval: number;
}

/** What the connection needs, and whom it tells. */
export interface ConnectionPort {
  readonly runtime: Runtime;
  readonly timing: ConnectionTiming;
  /** In order of preference. */
  readonly order: readonly TransportName[];
  readonly transports: Readonly<Record<TransportName, Transport>>;
  readonly request: Omit<LinkRequest, "host" | "token">;
  token(): Promise<string | undefined>;
  readonly host: Omit<LinkHost, "end">;
  /** A connection is there on which nothing was sent yet: the first one, or one that takes over. */
  connected(link: Link): void;
  disconnected(): void;
  /** A link that was opened beside the present one did not come to be. */
  abandoned(): void;
  changed(state: ClientState): void;
}

/**
 * Keeps one link open.
 *
 *   opening ──welcome──▶ live ──end──▶ waiting ──backoff──▶ opening
 *      │ │                │ └ a better or asked-for transport: opened beside it, takes over at its welcome
 *      │ └ end: the next transport; after the last one ▶ waiting, or ▶ offline until the runtime is online
 *      └ terminal end, close() ▶ closed
 */
export interface Connection {
  readonly state: ClientState;
  readonly link: Link | undefined;
  /** Prefers a transport from now on, and changes to it. */
  switchTo(name: TransportName): Promise<void>;
  close(error: PartylineError): void;
}

/** A link from the wish for it to its end. */
interface Dial {
  readonly transport: TransportName;
  close(): void;
}

type Phase =
  | { readonly at: "opening"; readonly dial: Dial; readonly tried: ReadonlySet<TransportName> }
  | { readonly at: "live"; readonly dial: Dial; readonly link: Link; readonly since: number; stop(): void }
  | { readonly at: "waiting"; stop(): void }
  | { readonly at: "offline" }
  | { readonly at: "closed" };

/** Ends within `stableAfter`, one after the other, that make the next transport the one to begin with. */
const MAX_YOUNG_ENDS = 3;

export function createConnection(port: ConnectionPort): Connection {
  const { runtime, timing } = port;
  let order = [...port.order];
  let preferred = order[0] as TransportName;
  let failures = 0;
  let youngEnds = 0;
  let upgradeDelay = timing.upgradeInterval;
  let candidate: Dial | undefined;
  let state: ClientState = { status: "connecting", since: runtime.now() };
  let phase: Phase = { at: "closed" };

  const tell = (status: ClientState["status"], reason?: PartylineError, transport?: TransportName): void => {
    state = {
      status,
      since: runtime.now(),
      ...(reason ? { reason } : {}),
      ...(transport ? { transport } : {}),
    };
    port.changed(state);
  };

  /** Opens a link; exactly one of `opened` and `ended` comes first, `ended` at most once and always last. */
  const dial = (
    transport: TransportName,
    on: { opened(link: Link, dial: Dial): void; ended(end: LinkEnd): void },
  ): Dial => {
    let over = false;
    let link: Link | undefined;
    let welcomed = false;
    const finish = (end: LinkEnd): void => {
      if (over) return;
      self.close();
      on.ended(end);
    };
    const stopDeadline = runtime.after(timing.openTimeout, () =>
      finish({ error: connectionLost(`No answer over ${transport} in time.`), terminal: false }),
    );
    const self: Dial = {
      transport,
      close() {
        over = true;
        stopDeadline();
        link?.close();
      },
    };
    const host: LinkHost = {
      ...port.host,
      welcome(frame: WelcomeFrame) {
        port.host.welcome(frame);
        if (welcomed) return;
        welcomed = true;
        stopDeadline();
        if (link) on.opened(link, self);
      },
      end: finish,
    };
    port
      .token()
      .then((token) => {
        if (!over) link = port.transports[transport]({ ...port.request, token, host });
      })
      .catch((cause: unknown) =>
        finish({ error: connectionLost("The connection could not be begun.", cause), terminal: false }),
      );
    return self;
  };

  const open = (transport: TransportName, tried: ReadonlySet<TransportName> = new Set()): void => {
    const attempt = dial(transport, {
      opened: (link, self) => goLive(link, self),
      ended(end) {
        if (phase.at === "live") lost(end, phase.since);
        else openFailed(end, transport, tried);
      },
    });
    phase = { at: "opening", dial: attempt, tried };
  };

  const openFailed = (end: LinkEnd, transport: TransportName, before: ReadonlySet<TransportName>): void => {
    const tried = new Set(before).add(transport);
    const next = order.find((name) => !tried.has(name));
    if (end.terminal) close(end.error);
    // Where the server asked for time, it is reached: another transport would only ask again.
    else if (next && end.error.retryAfter === undefined) open(next, tried);
    else retry(end.error);
  };

  const goLive = (link: Link, own: Dial): void => {
    const stopStable = runtime.after(timing.stableAfter, () => {
      failures = youngEnds = 0;
      if (own.transport === order[0]) upgradeDelay = timing.upgradeInterval;
    });
    let stopUpgrade = (): void => undefined;
    if (own.transport !== order[0]) {
      stopUpgrade = runtime.after(upgradeDelay, () => upgrade());
      upgradeDelay = Math.min(upgradeDelay * 2, timing.upgradeInterval * 10);
    }
    preferred = own.transport;
    phase = {
      at: "live",
      dial: own,
      link,
      since: runtime.now(),
      stop() {
        stopStable();
        stopUpgrade();
      },
    };
    tell("live", undefined, own.transport);
    port.connected(link);
  };

  const lost = (end: LinkEnd, since: number): void => {
    if (phase.at !== "live") return;
    phase.stop();
    candidate?.close();
    candidate = undefined;
    if (end.terminal) {
      close(end.error);
      return;
    }
    if (runtime.now() - since < timing.stableAfter && ++youngEnds >= MAX_YOUNG_ENDS) {
      youngEnds = 0;
      preferred = order[(order.indexOf(preferred) + 1) % order.length] as TransportName;
    }
    retry(end.error);
    port.disconnected();
  };

  const retry = (error: PartylineError): void => {
    if (!runtime.isOnline()) {
      phase = { at: "offline" };
      tell("offline", error);
      return;
    }
    const wait = backoffDelay(failures++, timing, () => runtime.random(), error.retryAfter);
    phase = { at: "waiting", stop: runtime.after(wait, () => open(preferred)) };
    if (state.status !== "connecting" && state.status !== "reconnecting") tell("reconnecting", error);
  };

  /** Opens a transport beside the present link, which goes on until the new one has said its first frame. */
  const takeOver = (
    transport: TransportName,
    failed: (error: PartylineError) => void,
    done?: () => void,
  ): void => {
    candidate?.close();
    const attempt = dial(transport, {
      opened(link, self) {
        candidate = undefined;
        const old = phase;
        if (old.at !== "live") return;
        old.stop();
        goLive(link, self);
        // Closed only now: what it still brought was told, and what is unsettled was sent again over the new one.
        old.dial.close();
        done?.();
      },
      ended(end) {
        if (candidate === attempt) {
          candidate = undefined;
          port.abandoned();
          failed(end.error);
        } else if (phase.at === "live" && phase.dial === attempt) lost(end, phase.since);
      },
    });
    candidate = attempt;
  };

  const upgrade = (): void => {
    const better = order[0];
    if (phase.at !== "live" || !better || phase.dial.transport === better || candidate) return;
    takeOver(better, () => {
      const stop = runtime.after(upgradeDelay, () => upgrade());
      upgradeDelay = Math.min(upgradeDelay * 2, timing.upgradeInterval * 10);
      const now = phase;
      if (now.at !== "live") stop();
      else {
        const before = now.stop;
        now.stop = () => {
          before();
          stop();
        };
      }
    });
  };

  const networkOnChange = (): void => {
    if (phase.at === "live") phase.link.probe();
    else if (phase.at === "waiting" || phase.at === "offline") {
      if (phase.at === "waiting") phase.stop();
      if (runtime.isOnline()) {
        if (state.status === "offline") tell("reconnecting", state.reason);
        open(preferred);
      } else {
        phase = { at: "offline" };
        tell("offline", state.reason);
      }
    }
  };
  const stopNetwork = runtime.onNetwork(networkOnChange);

  const close = (error: PartylineError): void => {
    if (state.status === "closed") return;
    stopNetwork();
    candidate?.close();
    if (phase.at === "live" || phase.at === "waiting") phase.stop();
    if (phase.at === "live" || phase.at === "opening") phase.dial.close();
    phase = { at: "closed" };
    tell("closed", error);
  };

  open(preferred);

  return {
    get state() {
      return state;
    },
    get link() {
      return phase.at === "live" ? phase.link : undefined;
    },
    switchTo(name) {
      if (!order.includes(name))
        return Promise.reject(connectionLost(`The transport ${name} is not among the client's.`));
      order = [name, ...port.order.filter((other) => other !== name)];
      preferred = name;
      if (phase.at === "closed") return Promise.reject(closedError("The client"));
      if (phase.at !== "live" || phase.dial.transport === name) return Promise.resolve();
      return new Promise((resolve, reject) => takeOver(name, reject, resolve));
    },
    close,
  };
}
