/** Clients whose connections are cut again and again, on each transport, against the log of what was published. */
import { describe, expect, it } from "vitest";
import { createClient, type TransportName } from "../src/client/index.ts";
import { createPartyline } from "../src/server.ts";
import { openLine } from "../src/testing/network-line.ts";

const MESSAGES = 3_000;
const CUTS = 10;

describe.each<TransportName>(["ws", "sse", "poll"])("a client over %s", (transport) => {
  it("is given the whole channel, in order, once, however often its connection is cut", async () => {
    await using server = createPartyline();
    const { port } = await server.listen(0);
    await using line = await openLine(port);
    await using client = createClient(`http://127.0.0.1:${line.port}`, {
      transports: [transport],
      baseDelay: 1,
      maxDelay: 20,
    });
    const numbers: number[] = [];
    const gaps: unknown[] = [];
    const channel = client.channel<{ n: number }>("log", { since: "earliest" });
    channel.on("gap", (gap) => gaps.push(gap));

    const publishing = (async () => {
      for (let n = 0; n < MESSAGES; n++) {
        await server.channel("log").publish({ n });
        if (n % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    for await (const message of channel.messages()) {
      numbers.push(message.data.n);
      if (numbers.length % (MESSAGES / CUTS) === 0) line.cut();
      if (numbers.length >= MESSAGES) break;
    }
    await publishing;

    expect(gaps).toEqual([]);
    expect(numbers).toEqual(Array.from({ length: MESSAGES }, (_value, n) => n));
  });

  it("publishes each message once, in order, however often its connection is cut [PUB-9]", async () => {
    await using server = createPartyline();
    const { port } = await server.listen(0);
    await using line = await openLine(port);
    await using client = createClient(`http://127.0.0.1:${line.port}`, {
      transports: [transport],
      baseDelay: 1,
      maxDelay: 20,
    });
    const channel = client.channel<{ n: number }>("log", { since: "earliest" });
    const published: Promise<unknown>[] = [];
    for (let n = 0; n < 500; n++) {
      published.push(channel.publish({ n }));
      if (n % 50 === 25) {
        line.cut();
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    await Promise.all(published);

    const { messages } = await server
      .channel<{ n: number }>("log")
      .history({ since: "earliest", limit: 1_000 });
    expect(messages.map((message) => message.data.n)).toEqual(Array.from({ length: 500 }, (_value, n) => n));
  });
});
