import type { ResultFrame, WelcomeFrame } from "../../protocol/frames.ts";
import { PartylineError } from "../../protocol/partyline-error.ts";
import { backoffDelay } from "../backoff.ts";
import { type Connection, createConnection } from "../connection.ts";
import type { ConnectionPort } from "../connection-port.ts";
import { closedError } from "../errors.ts";
import type { Link, RefusalFrame } from "../link.ts";
import { createLanes, type Lanes } from "./lanes.ts";
import { parseLines } from "./lines.ts";
import { createMembers, doorOf, type Member } from "./members.ts";
import { type Join, type Status, type ToHub, toPlain } from "./messages.ts";
import { createSharedChannel, type SharedChannel } from "./shared-channel.ts";
import { createSideLink } from "./side-link.ts";
import type { Tabs } from "./tabs.ts";

/** The one connection of many tabs, in the tab that has the lock. */
export interface Hub {
  readonly id: string;
  /** Lets all tabs go: another hub is to take its place. */
  close(): void;
}

/** What a hub takes to make its connection. */
export type HubPort = Omit<ConnectionPort, "host" | "connected" | "interrupted" | "changed">;

/** Attaching again without a message in between is a fault that asking at once does not cure. */
const MAX_TROUBLE = 3;

/** @param base What the names of all that these tabs share begin with. */
export function createHub(port: HubPort, tabs: Tabs, base: string, id: string): Hub {
  const { runtime, timing } = port;
  const channels = new Map<string, SharedChannel>();
  let link: Link | undefined;
  let lanes: Lanes | undefined;
  let life = 0;
  let token: string | undefined;
  /** With the broker's clock less the runtime's as its time. */
  let welcome: WelcomeFrame | undefined;
  let over = false;

  const members = createMembers({
    tabs,
    base,
    hub: id,
    hear: (member, message) => hear(member, message),
    gone(member) {
      lanes?.leave(member);
      for (const channel of channels.values()) channel.detach(member);
    },
  });
  const status = (): Status => {
    const { reason, ...state } = connection.state;
    return {
      t: "status",
      state,
      reason: reason && toPlain(reason),
      now: runtime.now(),
      life: link ? life : 0,
      welcome: welcome && { ...welcome, time: welcome.time + runtime.now() },
    };
  };
  const update = (): void => {
    if (over) return;
    if (link !== connection.link) {
      link = connection.link;
      lanes = link && createLanes(link);
      if (link) life++;
    }
    for (const member of members.all()) member.give(status());
  };

  let syncing = false;
  /** Not at once: this may be called from the middle of what a link tells. */
  const syncSoon = (): void => {
    if (syncing) return;
    syncing = true;
    void Promise.resolve().then(() => {
      syncing = false;
      for (const [name, { isEmpty }] of channels) if (isEmpty) channels.delete(name);
      if (over || !link) return;
      link.sync();
      side.sync();
    });
  };
  const side = createSideLink(port, {
    token: () => token,
    wanted: () => [...channels.keys()].filter((name) => channels.get(name)?.wantsSide),
    reader: (name) => channels.get(name)?.side,
    ended() {
      for (const channel of channels.values()) channel.sideEnded();
    },
  });
  const connection: Connection = createConnection({
    ...port,
    async token() {
      token = await port.token();
      return token;
    },
    host: {
      parse: parseLines,
      wanted: () => [...channels.keys()],
      reader: (name) => channels.get(name)?.main,
      welcome(frame) {
        welcome = { ...frame, time: frame.time - runtime.now() };
      },
    },
    connected(next) {
      // What the connection before was asked last is never answered now.
      for (const channel of channels.values()) channel.interrupted(true);
      update();
      next.sync();
    },
    interrupted(live) {
      if (!live) side.close();
      for (const channel of channels.values()) channel.interrupted(live);
      update();
    },
    changed: update,
  });

  const channelOf = (name: string): SharedChannel => {
    const known = channels.get(name);
    if (known) return known;
    const channel = createSharedChannel(name, {
      update: syncSoon,
      reattach(where, trouble) {
        const delay = trouble > MAX_TROUBLE ? backoffDelay(trouble - MAX_TROUBLE, timing, runtime.random) : 0;
        runtime.after(delay, () => (where === "main" ? link : side)?.reattach(name));
      },
    });
    channels.set(name, channel);
    return channel;
  };
  const attach = (member: Member, { channel, n, since, maxRate }: ToHub & { readonly t: "attach" }): void =>
    channelOf(channel).attach(member, {
      n,
      since,
      maxRate,
      give: (item) => member.give({ ...item, channel }, item.t === "frame" ? item.size : 0),
    });
  const run = (member: Member, { channel, fields, first, life: from, n }: ToHub & { t: "command" }): void => {
    // What was meant for an earlier connection is sent again on this one.
    if (from !== life) return;
    const answer = (frame: ResultFrame | RefusalFrame): void => member.give({ t: "answer", n, frame });
    lanes?.send({ tab: member, channel, first, fields, answer });
  };
  const switchTo = async (member: Member, { n, name }: ToHub & { t: "switch" }): Promise<void> => {
    const error = await connection.switchTo(name).catch((cause: unknown) => cause);
    member.give({ t: "switched", n, error: error instanceof PartylineError ? toPlain(error) : undefined });
  };

  const hear = (member: Member, message: ToHub): void => {
    switch (message.t) {
      case "leave":
        members.remove(member.id);
        break;
      case "attach":
        attach(member, message);
        break;
      case "detach":
        channels.get(message.channel)?.detach(member);
        break;
      case "command":
        run(member, message);
        break;
      case "switch":
        void switchTo(member, message);
        break;
      case "ping":
        member.heard(message.heard);
        member.give({ t: "pong" });
    }
  };
  const door = tabs.join<Join>(doorOf(base, id), ({ tab }) => {
    members.add(tab);
    members.get(tab)?.give(status());
  });

  return {
    id,
    close() {
      if (over) return;
      over = true;
      members.close();
      door.close();
      side.close();
      connection.close(closedError("The hub"));
    },
  };
}
