/** Clients of one process that share by its own locks and broadcasts, with a real server. */
import { expect, it } from "vitest";
import { createClient, type TransportName } from "../../src/client/index.ts";
import { createPartyline } from "../../src/server.ts";

it("shares a connection over all transports", async ({ skip }) => {
  if (!globalThis.navigator?.locks) skip(`no Web Locks in Node ${process.versions.node}`);
  await using server = createPartyline();
  const { url } = await server.listen(0);
  const clients = Array.from({ length: 3 }, () => createClient(url, { share: true }));
  const got = clients.map((client) => {
    const texts: unknown[] = [];
    client.channel("a", { since: "earliest" }).on("message", ({ data }) => texts.push(data));
    return texts;
  });
  const expected: string[] = [];
  try {
    for (const transport of ["ws", "sse", "poll", "ws"] satisfies TransportName[]) {
      await clients[2]?.switchTransport(transport);
      for (const [index, client] of clients.entries()) {
        const text = `${transport} ${index}`;
        expected.push(text);
        await client.channel("a").publish(text);
      }
    }
    const [leader, ...others] = clients.toSorted((a, b) =>
      a.state.shared === b.state.shared ? 0 : a.state.shared === "leader" ? -1 : 1,
    );
    await leader?.close();
    await others[0]?.channel("a").publish("the leader has gone");
    expected.push("the leader has gone");
    const remaining = got.filter((_, index) => clients[index] !== leader);
    await expect.poll(() => remaining).toEqual([expected, expected]);
    expect(others.map(({ state }) => String(state.shared)).toSorted()).toEqual(["follower", "leader"]);
  } finally {
    for (const client of clients) await client.close();
  }
});
