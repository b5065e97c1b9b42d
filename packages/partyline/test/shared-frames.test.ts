import { expect, it } from "vitest";
import { createPartyline } from "../src/server.ts";
import { silent } from "./support/line-rig.ts";
import { Inbox } from "./transport/probe.ts";
import { openSocket } from "./transport/websocket-probes.ts";

it("a frame for many readers is the same to the byte, whoever they are and wherever they began [WIRE-9, WIRE-11]", async () => {
  await using server = createPartyline({
    logger: silent,
    channels: { "**": { keep: "latest" } },
    intervals: { mark: 100 },
    authenticate: ({ token }) => ({ grants: { allows: () => token !== undefined } }),
  });
  const { url } = await server.listen(0);
  await server.channel("a").publish("before", { key: "x" });
  const open = async (token: string, first: number, since: string) => {
    const frames = new Inbox<string>();
    const socket = await openSocket(`${url}/connect`, ["partyline.v1"], {}, (opening) =>
      opening.on("message", (data: Buffer) => frames.push(data.toString())),
    );
    // Each at its own numbers, and with more on the connection than the other has.
    const lines = [`{"t":"hello","v":1,"token":"${token}"}`];
    for (let n = 1; n < first; n++) lines.push(`{"t":"attach","n":${n},"channel":"${token}/${n}"}`);
    lines.push(`{"t":"attach","n":${first},"channel":"a","since":"${since}"}`);
    socket.send(lines.join("\n"));
    const opened = (await frames.next()).split("\n");
    expect(opened.at(-1)).toContain(`"t":"attached","n":${first}`);
    return { frames, c: (JSON.parse(opened.at(-1) ?? "") as { c: number }).c };
  };
  const readers = [await open("one", 1, "now"), await open("two", 5, "now")];

  await server.channel("a").publish({ n: 1.5 }, { key: "y", id: "mine" });
  await server.channel("a").publish("text", { key: "x" });
  await server.channel("a").delete("y");
  const told: string[][] = [[], []];
  for (const [index, { frames, c }] of readers.entries())
    while (!told[index]?.at(-1)?.startsWith('{"t":"mark"')) {
      const lines = (await frames.next()).split("\n");
      told[index]?.push(...lines.filter((line) => (JSON.parse(line) as { c: number }).c === c));
    }
  expect(told[0]?.join("\n")).toMatch(/"id":"mine"[^]*"text"[^]*"deleted"[^]*"t":"mark"/);
  expect(told[1]).toEqual(told[0]);
});
