import type { Channel } from "../../../src/client/index.ts";
import { spell, type StepFields } from "../history.ts";
import type { Reading } from "../reading.ts";
import { readEvents, readPolls } from "../raw-readers.ts";
import { count } from "../tally.ts";
import type { WorldClient } from "../world.ts";
import type { Acts, Stage } from "./stage.ts";

/** What readers do. */
export interface ReadingActs {
  readonly acts: Pick<Acts, "read" | "stream" | "leave" | "pause" | "resume" | "storm" | "calm">;
  /** All who read at present. */
  readonly readings: () => Reading[];
  /** The page of this client ends. */
  readonly leave: (client: number) => void;
}

const STORM_TRANSPORTS = ["ws", "sse", "poll"] as const;

export function createReading({ world, oracle, tally, at, setup, channel, open }: Stage): ReadingActs {
  /** By client and channel: one each. */
  const readings = new Map<string, Reading>();
  const storm: { readonly stormer: WorldClient; readonly listening: Reading }[] = [];
  let stormers = 0;

  const reading = (channel: Channel, end: () => void, hurry = (): void => undefined): Reading => ({
    channel: channel.name.normalize(),
    get position() {
      return channel.position;
    },
    end,
    pause: () => channel.detach(),
    resume: () => channel.resume(),
    hurry,
  });
  const listen = (to: Channel, reader: string, maxRate?: number): Reading =>
    reading(to, oracle.watch(to, reader, maxRate));
  const iterate = (
    over: Channel,
    reader: string,
    { pace, maxRate }: { readonly pace: number; readonly maxRate: number | undefined },
    ended: () => void,
  ): Reading => {
    const messages = oracle.messages(over, `${reader}, iterating`, maxRate);
    let wait = pace;
    const run = async (): Promise<void> => {
      for (let next = await messages.next(); !next.done; next = await messages.next())
        if (wait > 0) await world.after(wait);
    };
    // It throws what the server refuses, which none of the steps makes it do for good.
    run().catch(ended);
    return reading(
      over,
      () => void messages.return?.(),
      () => void (wait = 0),
    );
  };
  const steer =
    (act: (found: Reading, place: string) => void) =>
    ({ client, channel: name, spelling }: StepFields["leave"]): boolean => {
      const place = `${client} ${spell(name, spelling)}`;
      const found = at(client) && readings.get(place);
      if (found) act(found, place);
      return found !== undefined;
    };

  return {
    readings: () => [...readings.values(), ...storm.map(({ listening }) => listening)],
    leave(client) {
      for (const [place, found] of readings) {
        if (!place.startsWith(`${client} `)) continue;
        found.end();
        readings.delete(place);
      }
    },
    acts: {
      read({ client, channel: name, spelling, since, pace }) {
        const spelled = spell(name, spelling);
        const place = `${client} ${spelled}`;
        const read = channel(client, name, spelling) && at(client)?.client.channel(spelled, { since });
        if (!read || readings.has(place)) return false;
        const reader = spelling === "decomposed" ? `client-${client}, decomposed` : `client-${client}`;
        const maxRate = setup(client)?.maxRate;
        readings.set(
          place,
          pace === undefined
            ? listen(read, reader, maxRate)
            : iterate(read, reader, { pace, maxRate }, () => readings.delete(place)),
        );
        return true;
      },
      stream({ client, channel: name, spelling, by, maxRate, resumes = "header", since = "earliest" }) {
        const place = `${client} ${spell(name, spelling)} ${by} ${resumes}`;
        const reader = at(client);
        if (!reader || readings.has(place)) return false;
        const log = oracle.reader(name, `client-${client}, by ${by}`, maxRate);
        const read = by === "events" ? readEvents : readPolls;
        const how = { log, maxRate, after: (ms: number) => world.after(ms), spelled: spell(name, spelling) };
        const resumed = (): void => count(tally, `resumed by: ${resumes}`);
        readings.set(place, read(reader, name, { ...how, resumes, since, resumed }));
        return true;
      },
      leave: steer((found, place) => {
        found.end();
        readings.delete(place);
      }),
      pause: steer((found) => found.pause()),
      resume: steer((found) => found.resume()),
      async storm({ channel: name, clients }) {
        for (let index = 0; index < clients; index++) {
          const stormer = await open([STORM_TRANSPORTS[index % 3] ?? "ws"], 1000);
          const read = stormer.client.channel(name, { since: "earliest", onGap: "continue" });
          storm.push({ stormer, listening: listen(read, `storm-${++stormers}`) });
        }
        return true;
      },
      async calm() {
        const leaving = storm.splice(0);
        for (const { stormer, listening } of leaving) {
          listening.end();
          await stormer.client.close();
        }
        return leaving.length > 0;
      },
    },
  };
}
