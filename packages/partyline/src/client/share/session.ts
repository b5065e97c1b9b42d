import type { ConnectionPort } from "../connection-port.ts";
import { connectionLost } from "../errors.ts";
import type { ChannelFrame, Command, Link, TransportName } from "../link.ts";
import { createWatch } from "../watch.ts";
import { doorOf, roomOf } from "./members.ts";
import { fromPlain, type HubPost, type Join, type Status, type ToHub, type ToTab } from "./messages.ts";
import type { Tabs } from "./tabs.ts";

/** A tab's time with one hub. */
export interface Session {
  readonly hub: string;
  /** There while the hub is connected. */
  readonly link: Link | undefined;
  switchTo(name: TransportName): Promise<void>;
  /** Ends it; nothing is told after that. */
  close(): void;
}

/** Whom a session tells. */
export interface SessionPort extends Pick<ConnectionPort, "host" | "connected" | "interrupted" | "runtime"> {
  readonly tabs: Tabs;
  readonly base: string;
  readonly tab: string;
  status(status: Status): void;
  /** The hub is gone, or has let this tab go. */
  lost(): void;
  /** There is no place for what this tab wants, or it can't be said to the hub. */
  full(): void;
}

/** Silence after which the hub is asked whether it is there, and how long its answer may take, ms. */
const PING_INTERVAL = 1000;
const PONG_TIMEOUT = 1000;

/** Characters taken, after which the hub is told without being asked. */
const TELL_AFTER = 256 * 1024;

export function createSession(port: SessionPort, hub: string): Session {
  const { base, host, runtime, tab, tabs } = port;
  /** Newest attach of each channel: answers to older ones no longer count. */
  const attaches = new Map<string, number>();
  const commands = new Map<number, Command>();
  const switches = new Map<number, (item: ToTab & { t: "switched" }) => void>();
  let n = 0;
  let life = 0;
  let link: Link | undefined;
  let heard = 0;
  let told = 0;
  let over = false;
  let joined = false;

  const voice = tabs.join<HubPost>(roomOf(base, hub, tab), ({ items, given }) => {
    watch.heard();
    // Now there is somebody who hears what is wanted.
    if (!joined) sync();
    joined = true;
    heard = given;
    for (const item of items) if (!over) take(item);
    if (!over && heard - told > TELL_AFTER) ping();
  });
  const say = (message: ToHub): void => {
    try {
      voice.post(message);
    } catch {
      if (!over) port.full();
    }
  };
  const ping = (): number => {
    told = heard;
    say({ t: "ping", heard });
    return 0;
  };
  const watch = createWatch(
    {
      runtime,
      pingInterval: PING_INTERVAL,
      pongTimeout: PONG_TIMEOUT,
      host: { alive: () => undefined, end: () => port.lost() },
    },
    ping,
    () => undefined,
  );

  const attach = (channel: string): void => {
    attaches.set(channel, ++n);
    say({ t: "attach", channel, n, ...host.reader(channel)?.attaching(session) });
  };
  const sync = (): void => {
    const wanted = new Set(host.wanted());
    for (const channel of attaches.keys()) {
      if (wanted.has(channel)) continue;
      attaches.delete(channel);
      say({ t: "detach", channel });
    }
    for (const channel of wanted) if (!attaches.has(channel)) attach(channel);
  };
  const linkOf = (present: number): Link => ({
    send(command) {
      const { channel, first } = command;
      const fields = command.fields();
      if (!fields || present !== life) return;
      commands.set(++n, command);
      say({ t: "command", life, n, channel, first, fields });
    },
    sync,
    reattach: attach,
    probe: () => watch.probe(),
    close: () => undefined,
  });

  const update = (status: Status): void => {
    const before = life;
    life = status.life;
    if (life === before) {
      port.status(status);
      return;
    }
    // Late answers belong to a connection that is closed: what they would settle is sent again.
    commands.clear();
    link = life > 0 ? linkOf(life) : undefined;
    if (link && status.welcome) host.welcome(status.welcome);
    port.status(status);
    if (link) port.connected(link);
    else port.interrupted(false);
  };
  const frame = (item: ToTab & { t: "frame" }): void => {
    const { channel, epoch, line, size } = item;
    const told = JSON.parse(line) as ChannelFrame;
    if (told.t === "detached") attaches.delete(channel);
    host.reader(channel)?.frame(told, epoch, size);
  };
  const take = (item: ToTab): void => {
    switch (item.t) {
      case "status":
        update(item);
        break;
      case "attached":
        if (attaches.get(item.channel) === item.frame.n)
          host.reader(item.channel)?.attached(item.frame, session);
        break;
      case "refused":
        if (attaches.get(item.channel) !== item.frame.n) break;
        attaches.delete(item.channel);
        if (item.frame.code === "too-many-channels") port.full();
        else host.reader(item.channel)?.refused(item.frame);
        break;
      case "frame":
        frame(item);
        break;
      case "answer": {
        const command = commands.get(item.n);
        commands.delete(item.n);
        command?.answer(item.frame);
        break;
      }
      case "switched":
        switches.get(item.n)?.(item);
        switches.delete(item.n);
        break;
      case "bye":
        if (item.full) port.full();
        else port.lost();
        break;
      case "pong":
    }
  };

  const session: Session = {
    hub,
    get link() {
      return link;
    },
    async switchTo(name) {
      const number = ++n;
      say({ t: "switch", n: number, name });
      const { error } = await new Promise<ToTab & { t: "switched" }>((resolve) =>
        switches.set(number, resolve),
      );
      if (error) throw fromPlain(error);
    },
    close() {
      over = true;
      watch.stop();
      say({ t: "leave" });
      voice.close();
      link = undefined;
      for (const settle of switches.values())
        settle({ t: "switched", n: 0, error: connectionLost("The tab with the connection has gone.") });
    },
  };
  const door = tabs.join(doorOf(base, hub));
  door.post({ tab } satisfies Join);
  door.close();
  return session;
}
