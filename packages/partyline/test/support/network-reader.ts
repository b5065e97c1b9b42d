import type { ChannelGap } from "../../src/client/index.ts";
import type { TestClient, TestClientOptions } from "../../src/testing/network/test-client.ts";
import type { TestNetwork } from "../../src/testing/test-network.ts";

/** Whatever a reader of the channel `a` is told, one after the other. */
export interface Reader {
  readonly client: TestClient;
  /** Data of messages, and the reasons of gaps. */
  readonly told: unknown[];
  readonly gaps: ChannelGap[];
}

/** Reads the channel from its beginning. */
export async function read(net: TestNetwork, options?: TestClientOptions): Promise<Reader> {
  const client = await net.client(options);
  const reader: Reader = { client, told: [], gaps: [] };
  const channel = client.channel("a", { since: "earliest", onGap: "continue" });
  channel.on("message", ({ data }) => reader.told.push(data));
  channel.on("gap", (gap) => {
    reader.told.push(gap.reason);
    reader.gaps.push(gap);
  });
  await net.settled();
  return reader;
}

/** Publishes to the channel, at the first server. */
export const say = (net: TestNetwork, text: string): Promise<unknown> =>
  net.server.channel("a").publish(text);
