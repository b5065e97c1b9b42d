import type { PartylineError } from "../../protocol/partyline-error.ts";
import { backoffDelay } from "../backoff.ts";
import type { ClientOptions, ClientState, ClientStatus } from "../client-types.ts";
import { type Connection, createConnection } from "../connection.ts";
import type { ConnectionPort } from "../connection-port.ts";
import { closedError, connectionLost } from "../errors.ts";
import type { Keeper } from "../keeper.ts";
import { createGroup, type Group } from "./group.ts";
import { VERSION } from "./messages.ts";
import { browserTabs, type Tabs } from "./tabs.ts";

/** What of the client's options decides whom it may share with. */
export type ShareOptions = Pick<ClientOptions, "share" | "token" | "fetch" | "WebSocket">;

/**
 * One connection for all tabs of one identity.
 *
 *   naming the identity ──▶ in its group ──the token names another one──▶ naming
 *      │                         └ no place ──▶ alone
 *      └ nothing to share by ──▶ alone
 *
 * @param tabs `null` where the runtime has none.
 */
export function share(
  port: ConnectionPort,
  { share: name, token, ...own }: ShareOptions,
  tabs: Tabs | null = browserTabs(),
): Connection {
  const { runtime, timing } = port;
  let state: ClientState = { status: "connecting", since: runtime.now() };
  let group: Group | undefined;
  let alone: Connection | undefined;
  let failures = 0;
  /** Counts the attempts to join and what ended one: whose number is not the newest is over. */
  let attempt = 0;
  let stopTimer = (): void => undefined;
  let stopFreeze = (): void => undefined;
  let keeper: Promise<Keeper> | undefined;
  /** The page was left. */
  let away = false;

  const isClosed = (): boolean => state.status === "closed";
  const changed = (next: ClientState): void => {
    if (isClosed()) return;
    state = next;
    // What a server refuses for good it refuses all tabs.
    if (isClosed()) {
      leave();
      stopWatching();
    }
    port.changed(state);
  };
  const stopWatching = (): void => {
    stopFreeze();
    keeper?.then(
      ({ stop }) => stop(),
      () => undefined,
    );
  };
  const leave = (): void => {
    const left = group;
    group = undefined;
    attempt++;
    stopTimer();
    left?.close();
  };
  /** Leaves, to go on in another way, or later. */
  const change = (status: ClientStatus, reason: PartylineError): void => {
    const live = group?.link !== undefined;
    leave();
    changed({ status, since: runtime.now(), reason });
    if (live) port.interrupted(false);
  };
  const goAlone = (): void => {
    if (isClosed()) return;
    if (group) change("reconnecting", connectionLost("There is no place in the shared connection."));
    stopWatching();
    alone = createConnection({ ...port, changed: (next) => changed({ ...next, shared: "alone" }) });
  };

  /** What all that the tabs of this identity share is called: who is somebody else does not find it. */
  const nameBy = async (shared: Tabs): Promise<string> => {
    const { url, credentials, headers = {} } = port.request;
    const identity =
      typeof name === "string"
        ? { name }
        : { token: await port.token(), headers: Object.entries(headers).map(String).sort() };
    const text = JSON.stringify({ url, credentials, order: port.order, ...identity });
    return `partyline/${VERSION}/${await shared.digest(text)}`;
  };
  const join = (shared: Tabs): void => {
    const mine = ++attempt;
    nameBy(shared).then(
      (base) => {
        if (mine === attempt) group = openGroup(shared, base);
      },
      (cause: unknown) => {
        if (mine !== attempt) return;
        const reason = connectionLost("There is no token.", cause);
        changed({ status: "reconnecting", since: runtime.now(), reason });
        stopTimer = runtime.after(backoffDelay(failures++, timing, runtime.random), () => join(shared));
      },
    );
  };
  const openGroup = (shared: Tabs, base: string): Group => {
    /** A token may come to name somebody else, and then this tab must not use what the others share. */
    const check = async (): Promise<void> => {
      if (name !== true || typeof token !== "function" || (await nameBy(shared)) === base) return;
      const reason = connectionLost("The token has changed.");
      if (group === opened) {
        change("reconnecting", reason);
        join(shared);
      }
      throw reason;
    };
    const opened = createGroup({
      ...port,
      tabs: shared,
      base,
      async token() {
        await check();
        return port.token();
      },
      interrupted(live) {
        port.interrupted(live);
        check().catch(() => undefined);
      },
      changed,
      full: goAlone,
    });
    return opened;
  };

  // What a `fetch` or a `WebSocket` of the user's adds to a request can't be seen.
  const isOwn = (["fetch", "WebSocket"] as const).some(
    (part) => (own[part] ?? globalThis[part]) !== globalThis[part],
  );
  if (!tabs || (name === true && isOwn)) goAlone();
  else {
    const goAway = (): void => {
      away = true;
      if (!isClosed()) change("offline", connectionLost("The page was left."));
    };
    join(tabs);
    stopFreeze = tabs.onFreeze(goAway);
    // A page that is kept to come back to must not have the lock, nor be talked to.
    keeper = port.keeper({
      memory: "",
      interval: 0,
      leave: goAway,
      wake() {
        if (!away) return;
        away = false;
        join(tabs);
      },
    });
  }
  return {
    get state() {
      return state;
    },
    get link() {
      return alone ? alone.link : group?.link;
    },
    async switchTo(name) {
      if (isClosed()) throw closedError("The client");
      await (alone ?? group)?.switchTo(name);
    },
    close(reason) {
      if (isClosed()) return;
      if (alone) alone.close(reason);
      else changed({ status: "closed", since: runtime.now(), reason });
    },
  };
}
