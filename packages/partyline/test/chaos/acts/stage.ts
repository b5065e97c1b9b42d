import type { Channel, ClientOptions, DroppedPublish, TransportName } from "../../../src/client/index.ts";
import { storedOutbox } from "../../../src/client/indexed-db/index.ts";
import { createScriptedDisk, type ScriptedDisk } from "../../../src/testing/scripted-disk.ts";
import { createOracle, type Oracle, type Violation } from "../../../src/testing/oracle/index.ts";
import {
  CHANNEL_NAMES,
  type ChannelName,
  CHANNELS,
  type ClientSetup,
  spell,
  type Spelling,
  type StepFields,
} from "../history.ts";
import { createPlace, type Surroundings, type TroubledPlace } from "../kinds/surroundings.ts";
import { count, type Tally } from "../tally.ts";
import { CLIENT_TIMING, type Tab, type World, type WorldClient } from "../world.ts";

/** Does a step; answers false where it does not fit. */
export type Acts = {
  readonly [Name in keyof StepFields]: (fields: StepFields[Name]) => boolean | Promise<boolean>;
};

/** What all acts share: a world, its clients, and who watches them. */
export interface Stage {
  readonly world: World;
  readonly oracle: Oracle;
  readonly tally: Tally;
  /** A client of the setup; `undefined` where there is none of this number, or its tab is frozen. */
  readonly at: (client: number) => WorldClient | undefined;
  readonly setup: (client: number) => ClientSetup | undefined;
  /** The tab that it is in, where it shares. */
  readonly tab: (client: number) => Tab | undefined;
  /** A channel of that, as its setup says. */
  readonly channel: (client: number, name: ChannelName, spelling?: Spelling) => Channel | undefined;
  /** The trouble that it has from the beginning, if any. */
  readonly place: (client: number) => TroubledPlace | undefined;
  /** Promises that were broken where the oracle does not look. */
  readonly violations: Violation[];
  /** Where a client keeps its publishes, if it does. */
  readonly disk: (client: number) => ScriptedDisk | undefined;
  /** Ends the page of a client that keeps its publishes or shares, and opens it again. */
  readonly reload: (client: number) => Promise<void>;
  /** Told of what a client has given up. */
  onDropped: (dropped: DroppedPublish) => void;
  /** A client more. */
  readonly open: (transports: readonly TransportName[], bufferedMessages: number) => Promise<WorldClient>;
}

/** The page of a client, which ends when it is reloaded. */
interface Page {
  readonly world: WorldClient;
  readonly end: () => Promise<void>;
}

export async function openStage(world: World, setups: readonly ClientSetup[]): Promise<Stage> {
  const oracle = createOracle();
  const tally: Tally = new Map();
  for (const name of CHANNEL_NAMES) oracle.define(name, CHANNELS[name]);

  const open = async (
    transports: readonly TransportName[],
    bufferedMessages: number,
    more: Pick<ClientOptions, "outbox" | "share"> = {},
    surroundings?: Surroundings,
  ): Promise<WorldClient> => {
    const opened = await world.openClient(
      { ...CLIENT_TIMING, transports, bufferedMessages, ...more, ...surroundings?.options },
      surroundings,
    );
    let again = "";
    opened.client.on("state", ({ status, transport, shared }) => {
      if (status !== "live") return;
      if (shared) count(tally, `tab: ${shared}`);
      count(tally, `client: live over ${transport}${again}`);
      again = ", again";
    });
    return opened;
  };
  const disks = setups.map(({ stores }) => (stores ? createScriptedDisk() : undefined));
  const violations: Violation[] = [];
  const places = setups.map(
    ({ trouble }, client) =>
      trouble &&
      createPlace(trouble, {
        after: (ms) => world.after(ms),
        count: (what) => count(tally, what),
        restless: (message) =>
          void violations.push({ is: "unsettled", channel: "", of: `client-${client}`, message }),
      }),
  );
  const openPage = async (client: number, { transports, buffer, shares }: ClientSetup): Promise<Page> => {
    const disk = disks[client];
    const store = disk?.page();
    const outbox = store && storedOutbox(store);
    let ended = false;
    const opened = await open(
      transports,
      buffer,
      { ...(outbox && { outbox }), ...(shares && { share: `tabs ${shares}` }) },
      places[client]?.surroundings,
    );
    if (outbox)
      opened.client.on("dropped", (dropped) => {
        if (!ended) stage.onDropped(dropped);
      });
    return {
      world: opened,
      async end() {
        // Nothing that it still does reaches anybody.
        ended = true;
        store?.end();
        if (opened.tab) return opened.tab.kill();
        // Who posts over its line goes on.
        opened.mend();
        await opened.client.close();
      },
    };
  };

  const pages: Page[] = [];
  const stage: Stage = {
    world,
    oracle,
    tally,
    at(client) {
      const page = pages[client]?.world;
      return page?.tab?.frozen ? undefined : page;
    },
    tab: (client) => pages[client]?.world.tab,
    setup: (client) => setups[client],
    place: (client) => places[client],
    violations,
    channel(client, name, spelling) {
      const { onGap, knowsKeep, maxRate } = setups[client] ?? {};
      const own = stage.at(client)?.client;
      // A client that is closed for good has no channels; what it leaves undone is for the oracle to find.
      if (own?.state.status === "closed") return undefined;
      return own?.channel(spell(name, spelling), {
        onGap: onGap === "continue" ? "continue" : () => world.after(3),
        ...(knowsKeep ? { keep: CHANNELS[name].keep } : {}),
        ...(maxRate === undefined ? {} : { maxRate }),
      });
    },
    disk: (client) => disks[client],
    async reload(client) {
      const [page, setup] = [pages[client], setups[client]];
      if (!page || !setup) return;
      await page.end();
      pages[client] = await openPage(client, setup);
    },
    onDropped: () => undefined,
    open,
  };
  for (const [client, setup] of setups.entries()) pages.push(await openPage(client, setup));
  return stage;
}
