/**
 * One client that changes its transport in mid-stream, every way there is. `MESSAGES=10000 RATE=1000` sets how many
 * messages there are and how many a second; without them it is as fast as the machine, and fewer.
 */
import { expect, it } from "vitest";
import { createClient, type TransportName } from "../src/client/index.ts";
import { createPartyline } from "../src/server.ts";

const MESSAGES = Number(process.env["MESSAGES"] ?? 2_000);
const RATE = Number(process.env["RATE"] ?? 0);
const TIMEOUT = 15_000 + (RATE > 0 ? (MESSAGES / RATE) * 2_000 : 0);

/** From WebSocket over all the others, by each of the six changes, and back. */
const HOPS: TransportName[] = ["sse", "poll", "ws", "poll", "sse", "ws"];
const numbers = Array.from({ length: MESSAGES }, (_, n) => n);

/** Calls for each number, at the rate, and gives way to everything else in between. */
async function paced(publish: (n: number) => unknown): Promise<void> {
  const start = performance.now();
  for (let n = 0; n < MESSAGES; n++) {
    publish(n);
    const due = RATE > 0 ? start + (n * 1000) / RATE - performance.now() : 0;
    if (RATE > 0 ? due > 1 : n % 10 === 0)
      await new Promise((resolve) => (due > 1 ? setTimeout(resolve, due) : setImmediate(resolve)));
  }
}

it(
  "reads everything once and in order while it changes its transport all ways [READ-1, READ-2, READ-3, CONN-7]",
  async () => {
    await using server = createPartyline();
    const { url } = await server.listen(0);
    await using client = createClient(url);
    const channel = client.channel<number>("a", { since: "earliest" });
    const used: unknown[] = [];
    const gaps: unknown[] = [];
    const got: number[] = [];
    channel.on("gap", (gap) => gaps.push(gap));
    client.on("state", ({ status, transport }) => status === "live" && used.push(transport));

    const hops: Promise<void>[] = [];
    const publishing = paced((n) => server.channel("a").publish(n));
    for await (const { data } of channel.messages()) {
      if (got.push(data) === MESSAGES) break;
      const hop = HOPS[hops.length];
      const last = hops.at(-1);
      if (hop && got.length >= ((hops.length + 1) * MESSAGES) / (HOPS.length + 1)) {
        await last;
        hops.push(client.switchTransport(hop));
      }
    }
    await publishing;
    await Promise.all(hops);

    expect(got).toEqual(numbers);
    expect(gaps).toEqual([]);
    expect(used).toEqual(["ws", ...HOPS]);
  },
  TIMEOUT,
);

it(
  "publishes everything once and in order while it changes its transport all ways [PUB-9, PUB-10, PUB-13]",
  async () => {
    await using server = createPartyline();
    const { url } = await server.listen(0);
    await using client = createClient(url);
    const channel = client.channel<number>("a");
    const used: unknown[] = [];
    client.on("state", ({ status, transport }) => status === "live" && used.push(transport));

    const published: Promise<unknown>[] = [];
    let hopping = Promise.resolve();
    let hops = 0;
    await paced((n) => {
      published.push(channel.publish(n));
      if (n >= ((hops + 1) * MESSAGES) / (HOPS.length + 1)) {
        const hop = HOPS[hops++];
        if (hop) hopping = hopping.then(() => client.switchTransport(hop));
      }
    });
    await Promise.all(published);
    await hopping;

    const stored: number[] = [];
    for await (const { data } of client.channel<number>("a", { since: "earliest" }).messages())
      if (stored.push(data) === MESSAGES) break;
    expect(stored).toEqual(numbers);
    expect(used).toEqual(["ws", ...HOPS]);
  },
  TIMEOUT,
);
