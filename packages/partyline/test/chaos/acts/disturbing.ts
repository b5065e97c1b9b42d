import { CHANNEL_NAMES } from "../history.ts";
import { count } from "../tally.ts";
import type { Publishing } from "./publishing.ts";
import type { ReadingActs } from "./reading.ts";
import type { Acts, Stage } from "./stage.ts";
import type { Troubling } from "./troubling.ts";

/** What lines, the server and its broker suffer. */
export function createDisturbing(
  { world, oracle, tally, at }: Stage,
  clockJumped: () => void,
): Omit<
  Acts,
  | keyof Publishing["acts"]
  | keyof ReadingActs["acts"]
  | keyof Troubling
  | "iterate"
  | "pass"
  | "reload"
  | "freeze"
  | "thaw"
> {
  const runs = (): boolean => world.running && !world.stopped;
  /** Does it where the server can be asked. */
  const asking =
    <Fields>(act: (fields: Fields) => Promise<void>) =>
    async (fields: Fields): Promise<boolean> => {
      if (!runs()) return false;
      await act(fields);
      return true;
    };

  return {
    switch({ client, transport }) {
      const switching = at(client)?.client.switchTransport(transport);
      void switching?.then(
        () => count(tally, "client: switched"),
        () => count(tally, "client: switch failed"),
      );
      return switching !== undefined;
    },
    fault({ client, ...fault }) {
      at(client)?.disturb(fault);
      return at(client) !== undefined;
    },
    mend({ client }) {
      at(client)?.mend();
      return at(client) !== undefined;
    },
    lead: ({ client, server }) => at(client)?.lead(server) ?? false,

    async kill() {
      if (!world.running) return false;
      await world.kill();
      return true;
    },
    close: asking(() => world.close()),
    drain: async () => runs() && world.drain(),
    async start({ past }) {
      if (world.running) return false;
      if (!(await world.start(past))) oracle.lostPast();
      return true;
    },
    stop() {
      if (!runs()) return false;
      world.stop();
      return true;
    },
    continue() {
      const { stopped } = world;
      if (stopped) world.continue();
      return stopped;
    },

    jump: asking(async ({ ms }) => {
      clockJumped();
      // By now age may have dropped anything.
      for (const name of CHANNEL_NAMES) oracle.define(name, { count: undefined });
      await world.jump(ms);
    }),
    forget: asking(async ({ channel }) => {
      oracle.lostPast(channel);
      await world.forget(channel);
    }),
    refuse: asking(({ channel, times, code }) => world.trouble(channel, times, { is: "refuse", code })),
    doubt: asking(({ channel, times, stored }) => world.trouble(channel, times, { is: "doubt", stored })),
  };
}
