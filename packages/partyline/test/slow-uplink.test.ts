/** Publishes over an uplink on which one message takes longer than the time-outs of either side. */
import { describe, expect, it } from "vitest";
import { createTestNetwork } from "../src/testing/test-network.ts";

const CLIENTS = [
  ["ws", "reads"],
  ["ws", "does not read"],
  ["sse", "reads"],
  ["sse", "does not read"],
  ["poll", "reads"],
  ["poll", "does not read"],
] as const;

describe("64 000 bytes at 1 500 bytes per second", () => {
  it.each(CLIENTS)(
    "are stored once, over %s by a client that %s the channel [CONN-10, LIVE-7]",
    async (transport, reads) => {
      await using net = await createTestNetwork();
      const client = await net.client({ transports: [transport] });
      const channel = client.channel("a");
      const got: number[] = [];
      if (reads === "reads") channel.on("message", ({ offset }) => got.push(offset));
      await net.settled();
      client.line.throttle(1_500, "up");
      const begun = net.now();
      const publishes = ["x", "y"].map((text) => channel.publish(text.repeat(64_000)));
      const results = await net.until(Promise.all(publishes));
      expect(results.map(({ position }) => position.split(":")[1])).toEqual(["1", "2"]);
      // Twice 43 s, and what the time-outs have cut before.
      expect(net.now() - begun).toBeLessThan(260_000);
      await net.settled();
      expect(got).toEqual(reads === "reads" ? [1, 2] : []);
    },
  );
});
