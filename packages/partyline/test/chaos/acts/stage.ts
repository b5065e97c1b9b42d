import type { Channel, TransportName } from "../../../src/client/index.ts";
import { createOracle, type Oracle } from "../../../src/testing/oracle/index.ts";
import { CHANNEL_NAMES, type ChannelName, CHANNELS, type ClientSetup, type StepFields } from "../history.ts";
import { count, type Tally } from "../tally.ts";
import { CLIENT_TIMING, type World, type WorldClient } from "../world.ts";

/** Does a step; answers false where it does not fit. */
export type Acts = {
  readonly [Name in keyof StepFields]: (fields: StepFields[Name]) => boolean | Promise<boolean>;
};

/** What all acts share: a world, its clients, and who watches them. */
export interface Stage {
  readonly world: World;
  readonly oracle: Oracle;
  readonly tally: Tally;
  /** A client of the setup; `undefined` where there is none of this number. */
  readonly at: (client: number) => WorldClient | undefined;
  /** A channel of that, as its setup says. */
  readonly channel: (client: number, name: ChannelName) => Channel | undefined;
  /** A client more. */
  readonly open: (transports: readonly TransportName[], bufferedMessages: number) => Promise<WorldClient>;
}

export async function openStage(world: World, setups: readonly ClientSetup[]): Promise<Stage> {
  const oracle = createOracle();
  const tally: Tally = new Map();
  for (const name of CHANNEL_NAMES) oracle.define(name, CHANNELS[name]);

  const open: Stage["open"] = async (transports, bufferedMessages) => {
    const opened = await world.openClient({ ...CLIENT_TIMING, transports, bufferedMessages });
    let again = "";
    opened.client.on("state", ({ status, transport }) => {
      if (status !== "live") return;
      count(tally, `client: live over ${transport}${again}`);
      again = ", again";
    });
    return opened;
  };
  const clients: WorldClient[] = [];
  for (const { transports, buffer } of setups) clients.push(await open(transports, buffer));

  return {
    world,
    oracle,
    tally,
    at: (client) => clients[client],
    channel(client, name) {
      const setup = setups[client];
      return clients[client]?.client.channel(name, {
        onGap: setup?.onGap === "continue" ? "continue" : () => world.after(3),
        ...(setup?.knowsKeep ? { keep: CHANNELS[name].keep } : {}),
      });
    },
    open,
  };
}
