import { describe, expect, it } from "vitest";
import { createClient, type TransportName } from "../src/client/index.ts";
import { createPartyline } from "../src/server.ts";

const transports: TransportName[] = ["ws", "sse", "poll"];

describe.each(transports)("over %s", (transport) => {
  it("hears what it publishes, knows it by its id, and is told its position", async () => {
    await using server = createPartyline();
    const { url } = await server.listen(0);
    await using client = createClient(url, { transports: [transport] });
    const channel = client.channel<{ text: string }>("chat/a", { since: "earliest" });
    const messages = channel.messages();
    const { position } = await channel.publish({ text: "hello" }, { id: "mine" });
    const { value } = await messages.next();
    expect(value).toMatchObject({ id: "mine", position, kind: "json", data: { text: "hello" } });
    expect(client.state).toMatchObject({ status: "live", transport });
  });

  it("connects to a URL with a query and a fragment", async () => {
    await using server = createPartyline();
    const { url } = await server.listen(0);
    await using client = createClient(`${url}/?tenant=7#top`, { transports: [transport] });
    expect(await client.channel("a").publish(1)).toMatchObject({ duplicate: false });
  });

  it("carries text and binary as they are, also empty", async () => {
    await using server = createPartyline();
    const { url } = await server.listen(0);
    await using client = createClient(url, { transports: [transport] });
    const channel = client.channel("a", { since: "earliest" });
    const sent = [
      "",
      "line\r\nline",
      new Uint8Array(0),
      Uint8Array.from({ length: 256 }, (_, index) => index),
    ];
    for (const data of sent) await channel.publish(data, typeof data === "string" ? { kind: "text" } : {});
    const got: unknown[] = [];
    for await (const { data } of channel.messages()) if (got.push(data) === sent.length) break;
    expect(got).toEqual(sent);
  });

  it("attaches channels later, and detaches them, without disturbing the others", async () => {
    await using server = createPartyline();
    const { url } = await server.listen(0);
    await using client = createClient(url, { transports: [transport] });
    const [a, b] = [
      client.channel<number>("a", { since: "earliest" }),
      client.channel<number>("b", { since: "earliest" }),
    ];
    const [fromA, fromB] = [a.messages(), b.messages()];
    await server.channel("a").publish(1);
    expect((await fromA.next()).value).toMatchObject({ data: 1 });
    await server.channel("b").publish(2);
    expect((await fromB.next()).value).toMatchObject({ data: 2 });
    await fromB.return?.();
    const late = client.channel<number>("c", { since: "earliest" }).messages();
    for (let data = 10; data < 20; data++) await server.channel("a").publish(data);
    await server.channel("c").publish(3);
    expect((await late.next()).value).toMatchObject({ data: 3 });
    for (let data = 10; data < 20; data++) expect((await fromA.next()).value).toMatchObject({ data });
  });
});
