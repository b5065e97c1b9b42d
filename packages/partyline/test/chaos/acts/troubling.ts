import type { ChannelName } from "../history.ts";
import { FOREIGN_ORIGIN } from "../kinds/kinds.ts";
import { count } from "../tally.ts";
import type { Acts, Stage } from "./stage.ts";

/** What a client's own proxy, page and credentials do. */
export type Troubling = Pick<Acts, "proxy" | "online" | "trespass">;

const ignore = (): void => undefined;

export function createTroubling({ world, tally, at, place, channel, violations }: Stage): Troubling {
  let attempts = 0;
  /** Channels of clients that must never receive anything, by client. */
  const watched = new Set<string>();

  const watch = (client: number, name: ChannelName): void => {
    if (watched.has(`${client} ${name}`)) return;
    watched.add(`${client} ${name}`);
    channel(client, name)?.on("message", ({ position }) => {
      const message = `client-${client}, whom the server must refuse, received ${position} of "${name}".`;
      violations.push({ is: "foreign", channel: name, of: `client-${client}`, message });
    });
  };

  return {
    proxy({ client, times, ...act }) {
      const proxy = place(client)?.proxy;
      proxy?.order(times, act);
      return proxy !== undefined;
    },
    online({ client, says }) {
      const say = place(client)?.say;
      // A page of real time would be that of all clients.
      if (!say || world.name !== "memory") return false;
      say(says);
      return true;
    },
    trespass({ client, channel: name, as }) {
      const visitor = at(client);
      if (!visitor) return false;
      // The oracle does not know of what is published here: stored, it is foreign.
      const data = { trespass: ++attempts };
      const headers: Record<string, string> =
        as === "stranger" ? { authorization: "Bearer refused" } : { origin: FOREIGN_ORIGIN };
      // As a page can send it to any server without asking first.
      visitor
        .fetch(`${visitor.url}/channels/${name}`, {
          method: "POST",
          headers: { "content-type": "text/plain", ...headers },
          body: JSON.stringify(data),
        })
        .then(({ status }) => count(tally, `trespass: ${status}`), ignore);
      watch(client, name);
      channel(client, name)?.publish(data).catch(ignore);
      return true;
    },
  };
}
