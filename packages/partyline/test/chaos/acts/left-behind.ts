import type { Channel, PublishResult } from "../../../src/client/index.ts";
import { PartylineError } from "../../../src/protocol/errors.ts";
import { CHANNEL_NAMES, type ChannelName } from "../history.ts";
import { count } from "../tally.ts";
import type { Stage } from "./stage.ts";

/** A publish that is not settled. */
interface Publish {
  readonly client: number;
  readonly channel: ChannelName;
  readonly id: string;
  readonly resolve: (result: PublishResult) => void;
  readonly reject: (error: Error) => void;
}

/** Follows publishes beyond the pages that they were made on. */
export interface LeftBehind {
  /** The channel of a client, as one that publishes. */
  readonly follow: (client: number, channel: Channel) => Pick<Channel, "name" | "publish" | "delete">;
  /** The page of this client ends. */
  readonly leave: (client: number) => void;
  /**
   * Tells what became of those that a later page is done with, which nobody was told. One that is nowhere, though its
   * log keeps all and is in the life in which it was left behind, was lost: it stays unsettled.
   *
   * @param forgets May the logs have forgotten something?
   */
  readonly settle: (forgets: boolean) => Promise<void>;
}

export function createLeftBehind(stage: Stage): LeftBehind {
  const { world, oracle, tally, disk } = stage;
  /** By id: those of the present pages. */
  const present = new Map<string, Publish>();
  /** Those that a later page has taken over, and how many lives the log had had then. */
  const taken = new Map<string, Publish & { readonly lives: number }>();

  const livesOf = (name: ChannelName): number =>
    oracle.evidence.channels.find(({ channel }) => channel === name)?.lives ?? 1;
  const isKept = ({ client, id }: Publish): boolean =>
    disk(client)?.records.some((record) => record.id === id) ?? false;

  stage.onDropped = ({ publish: { id }, reason }) => {
    const publish = taken.get(id);
    taken.delete(id);
    if (reason) publish?.reject(reason);
    else publish?.resolve({ position: "", duplicate: false, superseded: true });
  };

  return {
    follow(client, channel) {
      const outcome = (id: string | undefined, act: () => Promise<PublishResult>): Promise<PublishResult> =>
        new Promise((resolve, reject) => {
          const publish = {
            client,
            channel: channel.name.normalize() as ChannelName,
            id: id ?? "",
            resolve,
            reject,
          };
          present.set(publish.id, publish);
          const settled = (tell: () => void): void => {
            if (present.delete(publish.id)) tell();
          };
          act().then(
            (result) => settled(() => resolve(result)),
            (error: Error) => settled(() => reject(error)),
          );
        });
      return {
        name: channel.name,
        publish: (data, options) => outcome(options?.id, () => channel.publish(data, options)),
        delete: (key, options) => outcome(options?.id, () => channel.delete(key, options)),
      };
    },
    leave(client) {
      for (const publish of present.values()) {
        if (publish.client !== client) continue;
        present.delete(publish.id);
        if (isKept(publish)) {
          taken.set(publish.id, { ...publish, lives: livesOf(publish.channel) });
          count(tally, "publishes left to a later page");
        } else publish.reject(new PartylineError("uncertain", "Its page has ended."));
      }
    },
    async settle(forgets) {
      for (const name of taken.size > 0 ? CHANNEL_NAMES : []) {
        const { kept } = await world.ends(name);
        const positions = new Map(kept.map(({ id, position }) => [id, position]));
        for (const publish of taken.values()) {
          if (publish.channel !== name || isKept(publish)) continue;
          const position = positions.get(publish.id);
          const isLost = name === "big" && !forgets && livesOf(name) === publish.lives;
          if (position !== undefined) publish.resolve({ position, duplicate: false });
          else if (isLost) continue;
          else publish.reject(new PartylineError("uncertain", "Nobody was told."));
          taken.delete(publish.id);
        }
      }
    },
  };
}
