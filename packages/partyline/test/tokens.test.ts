/** Tokens of all sizes and kinds, over each transport. */
import { describe, expect, it } from "vitest";
import { createClient, type TransportName } from "../src/client/index.ts";
import { createPartyline, grants } from "../src/server.ts";
import { until } from "./support/until.ts";

const transports: TransportName[] = ["ws", "sse", "poll"];

/** A server that lets in whoever has a token of this many bytes. */
const letIn = (size: number) =>
  createPartyline({
    authenticate: ({ token }) =>
      token?.length === size ? { grants: grants({ "**": ["publish"] }) } : undefined,
  });

describe.each(transports)("over %s", (transport) => {
  it.each([5_000, 12_000])("a token of %i bytes lets a client in [WS-11]", async (size) => {
    await using server = letIn(size);
    const { url } = await server.listen(0, "127.0.0.1");
    await using client = createClient(url, { transports: [transport], token: "t".repeat(size) });
    expect(await client.channel("a").publish(1)).toMatchObject({ duplicate: false });
  });

  it("a token that does not fit into the first frame is named as the reason", async () => {
    await using server = letIn(20_000);
    const { url } = await server.listen(0, "127.0.0.1");
    await using client = createClient(url, { transports: [transport], token: "t".repeat(20_000) });
    await until(() => client.state.status === "closed");
    expect(client.state.reason).toMatchObject({
      code: "too-large",
      message: expect.stringMatching(/more than 16384 bytes/i) as string,
    });
  });
});
