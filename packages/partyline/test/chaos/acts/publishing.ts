import { postTarget } from "../post.ts";
import { spell } from "../history.ts";
import { payload } from "../payload.ts";
import { createLeftBehind } from "./left-behind.ts";
import type { Acts, Stage } from "./stage.ts";

/** What publishers do. What becomes of each publish the oracle writes down. */
export interface Publishing {
  readonly acts: Pick<Acts, "publish" | "delete" | "post">;
  /** A `POST` does not say when it was first tried: it must not be repeated after the clock has jumped. */
  readonly clockJumped: () => void;
  /** The page of this client ends. */
  readonly leave: (client: number) => void;
  /** Looks what became of what earlier pages have left behind, once a later one is done with it. */
  readonly settleLeft: () => Promise<void>;
  /** No more attempts. */
  readonly end: () => void;
}

const ignore = (): void => undefined;

export function createPublishing(stage: Stage): Publishing {
  const { world, oracle, at, channel } = stage;
  const left = createLeftBehind(stage);
  let published = 0;
  let server: object | undefined;
  let servers = 0;
  let posters = 0;
  let jumps = 0;
  let over = false;
  const serverName = (): string => {
    if (world.server !== server) servers++;
    ({ server } = world);
    return `server-${servers}`;
  };
  return {
    clockJumped: () => void jumps++,
    leave: left.leave,
    settleLeft: () => left.settle(jumps > 0),
    end: () => void (over = true),
    acts: {
      publish({ client, channel: name, count: messages, bytes, spelling, marked }) {
        // The server's own code is gone with it.
        const runs = world.running && !world.stopped;
        const own = client !== undefined && channel(client, name, spelling);
        const target =
          client === undefined ? runs && world.channel(name, spelling) : own && left.follow(client, own);
        if (!target) return false;
        const publisher = client === undefined ? serverName() : `client-${client}`;
        for (let left = messages; left > 0; left--) {
          const { data, options } = payload(++published, bytes, name, marked);
          oracle.publish(target, data, { publisher, ...options }).catch(ignore);
        }
        return true;
      },
      delete({ client, key }) {
        const latest = channel(client, "latest");
        if (latest)
          oracle.delete(left.follow(client, latest), `key-${key}`, `client-${client}`).catch(ignore);
        return latest !== undefined;
      },
      post({ client, channel: name, spelling, count: messages }) {
        const poster = at(client);
        if (!poster) return false;
        const publisher = `post-${++posters}`;
        const before = jumps;
        const target = postTarget(poster, spell(name, spelling), {
          after: (ms) => world.after(ms),
          givesUp: () => over || jumps > before,
        });
        const post = async (): Promise<void> => {
          for (let left = messages; left > 0; left--) {
            const { options } = payload(++published, 0, name);
            const data = { n: published };
            await oracle.publish(target, data, { publisher, ...options, kind: "json" }).catch(ignore);
          }
        };
        void post();
        return true;
      },
    },
  };
}
