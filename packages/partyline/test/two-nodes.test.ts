/** Two servers on one broker, behind a HAProxy that sends each request to the other one in turn. */
import { expect, it } from "vitest";
import { connectBroker } from "../src/brokers/machine/index.ts";
import { createClient, type TransportName } from "../src/client/index.ts";
import { createPartyline, type Partyline } from "../src/server.ts";
import { createDisposables } from "./support/disposables.ts";
import { FOLLOWERS } from "./support/followers.ts";
import { silent } from "./support/line-rig.ts";
import { startHaproxy } from "./support/real-proxies.ts";
import { startBrokerProcess } from "./support/broker-process/index.ts";

const EACH = 25;

it(
  "needs no sticky session: every client has the same messages in the same order, once, whichever server it asks",
  { timeout: 60_000 },
  async () => {
    await using held = startBrokerProcess();
    const path = await held.open();
    await using all = createDisposables();
    const node = async (): Promise<Partyline> =>
      all.use(createPartyline({ broker: await connectBroker(path), logger: silent }));
    const nodes = [await node(), await node()];
    const upstream = await Promise.all(nodes.map(async (server) => (await server.listen(0)).port));
    const { url } = all.use(await startHaproxy({ block: "haproxy with two servers", upstream }));

    const followers = [...FOLLOWERS, ...FOLLOWERS].map(({ follow }) =>
      all.use(follow({ url, channel: "a", since: "earliest" })),
    );
    await Promise.all(followers.map(({ opened }) => opened));
    const publishers = (["ws", "sse", "poll"] as const).map((transport: TransportName) =>
      all.use(createClient(url, { transports: [transport] })),
    );
    await Promise.all(
      publishers.map(async (client, publisher) => {
        const channel = client.channel("a");
        for (let n = 0; n < EACH; n++) await channel.publish(`${publisher}:${n}`, { kind: "text" });
      }),
    );

    const total = publishers.length * EACH;
    const told = await Promise.all(
      followers.map(async (follower) => {
        const texts: string[] = [];
        while (texts.length < total) texts.push(await follower.next());
        return texts;
      }),
    );
    const [order = []] = told;
    for (const texts of told) expect(texts).toEqual(order);
    for (const publisher of publishers.keys())
      expect(order.filter((text) => text.startsWith(`${publisher}:`))).toEqual(
        Array.from({ length: EACH }, (_, n) => `${publisher}:${n}`),
      );
    expect(followers.map(({ size }) => size)).toEqual(followers.map(() => 0));
    // Both were asked, for everything.
    for (const server of nodes) {
      const { attached, published } = server.counters();
      expect([attached?.[""], published?.[""]]).toEqual([expect.any(Number), expect.any(Number)]);
    }
  },
);
