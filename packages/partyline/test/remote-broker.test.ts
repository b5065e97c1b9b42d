import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createPartyline } from "../src/server.ts";
import { brokerSuite } from "../src/testing/broker-suite.ts";
import { type BrokerProcess, connectBroker, startBrokerProcess } from "./support/remote-broker/index.ts";

let held: BrokerProcess;
let pasts = 0;

beforeAll(async () => {
  held = await startBrokerProcess();
});
afterAll(() => held[Symbol.asyncDispose]());

brokerSuite(
  { describe, it },
  {
    name: "remote",
    async create() {
      const past = `suite ${++pasts}`;
      const broker = await connectBroker(held.port, past);
      return {
        broker,
        peer: await connectBroker(held.port, past),
        advance: (milliseconds) => broker.advance(milliseconds),
        forget: (name) => broker.forget(name),
      };
    },
    // Each step goes through a socket: fewer than the memory broker itself has.
    forAll: (check) =>
      fc.assert(fc.asyncProperty(fc.array(fc.maxSafeNat(), { maxLength: 80 }), check), { numRuns: 30 }),
  },
);

describe("a broker in a process of its own", () => {
  it("outlives the servers that use it", async () => {
    const first = createPartyline({ broker: await connectBroker(held.port) });
    const { position } = await first.channel("a").publish("before");
    await first.close();
    await using second = createPartyline({ broker: await connectBroker(held.port) });
    await second.channel("a").publish("after");
    const { messages } = await second.channel("a").history({ since: "earliest" });
    expect(messages.map(({ data }) => data)).toEqual(["before", "after"]);
    expect(messages[0]?.position).toEqual(position);
  });

  it("rejects what is under way, and all that is asked later, once the connection is lost", async () => {
    const process = await startBrokerProcess();
    const broker = await connectBroker(process.port);
    const [underWay] = await Promise.allSettled([broker.heads(["a"]), broker.close()]);
    expect(underWay).toMatchObject({ status: "rejected", reason: { code: "draining" } });
    await expect(broker.heads(["a"])).rejects.toMatchObject({ code: "draining" });
    await process[Symbol.asyncDispose]();
    await expect(connectBroker(process.port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });
});
