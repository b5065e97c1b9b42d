/** What a client makes of each kind of channel, over each transport, against a real server. */
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import {
  createClient,
  GapError,
  type Channel,
  type ClientOptions,
  type Message,
  PartylineError,
  type TransportName,
} from "../src/client/index.ts";
import { createMemoryBroker } from "../src/brokers/memory/index.ts";
import { createPartyline, type PartylineOptions } from "../src/server.ts";

const transports: TransportName[] = ["ws", "sse", "poll"];

async function open(transport: TransportName, server: PartylineOptions = {}, client: ClientOptions = {}) {
  const partyline = createPartyline({ logger: silent, ...server });
  const { url } = await partyline.listen(0);
  const opened = createClient(url, { transports: [transport], baseDelay: 1, ...client });
  return {
    server: partyline,
    client: opened,
    async [Symbol.asyncDispose]() {
      await opened.close();
      await partyline.close();
    },
  };
}
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

async function take<T>(messages: AsyncIterator<Message<T>, void>, count: number): Promise<Message<T>[]> {
  const taken: Message<T>[] = [];
  while (taken.length < count) {
    const { value } = await messages.next();
    if (value) taken.push(value);
  }
  return taken;
}

/** Resolves when the channel has this status. */
function reaches(channel: Channel, status: string): Promise<void> {
  return new Promise((resolve) => {
    if (channel.state.status === status) resolve();
    const off = channel.on("state", (state) => {
      if (state.status !== status) return;
      off();
      resolve();
    });
  });
}

describe.each(transports)("over %s", (transport) => {
  it("begins at since: earliest, last:N, now, or a position", async () => {
    await using rig = await open(transport);
    const stored = [];
    for (let n = 1; n <= 5; n++) stored.push(await rig.server.channel("a").publish(n));
    const from = async (since: string): Promise<unknown[]> => {
      const channel = rig.client.channel("a", { since });
      const data = (await take(channel.messages(), 2)).map((message) => message.data);
      channel.close();
      return data;
    };
    expect(await from("earliest")).toEqual([1, 2]);
    expect(await from("last:2")).toEqual([4, 5]);
    const [first] = await take(rig.client.channel("a", { since: "earliest" }).messages(), 1);
    rig.client.channel("a").close();
    expect(await from(first?.position ?? "")).toEqual([2, 3]);
    const now = rig.client.channel("a", { since: "now" });
    const messages = now.messages();
    await reaches(now, "attached");
    await rig.server.channel("a").publish(6);
    expect((await take(messages, 1))[0]?.data).toBe(6);
  });

  it.each(["first", "second"])(
    "two spellings of a name are one channel, and both go on until it is closed by the %s [NAME-4, NAME-10]",
    async (closing) => {
      await using rig = await open(transport);
      const spellings = ["cafe\u0301/r", "caf\u00e9/r"].map((name) => rig.client.channel<number>(name));
      const [first, second] = spellings as [Channel<number>, Channel<number>];
      const readers = spellings.map((channel) => channel.messages());
      await reaches(second, "attached");
      await first.publish(1);
      await second.publish(2);
      await rig.server.channel("cafe\u0301/r").publish(3);
      for (const reader of readers)
        expect((await take(reader, 3)).map(({ data }) => data)).toEqual([1, 2, 3]);
      expect(second).toBe(first);
      expect([first.name, rig.server.channel("cafe\u0301/r").name]).toEqual(["caf\u00e9/r", "caf\u00e9/r"]);

      (closing === "first" ? first : second).close();
      const again = rig.client.channel<number>(closing === "first" ? "caf\u00e9/r" : "cafe\u0301/r");
      const messages = again.messages();
      await reaches(again, "attached");
      await rig.server.channel("caf\u00e9/r").publish(4);
      expect((await take(messages, 1))[0]?.data).toBe(4);
    },
  );

  it("tells a gap after retention, and goes on behind it [POS-15]", async () => {
    await using rig = await open(transport, { retention: { count: 3 } });
    const { position } = await rig.server.channel("a").publish(0);
    for (let n = 1; n <= 10; n++) await rig.server.channel("a").publish(n);
    const channel = rig.client.channel<number>("a", { since: position });
    const messages = channel.messages();
    const error = await messages.next().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(GapError);
    expect(error).toMatchObject({ gap: { reason: "retention", lost: 7 } });
    expect((await take(channel.messages(), 3)).map(({ data }) => data)).toEqual([8, 9, 10]);
  });

  it("replaces the state of a channel that keeps the latest values", async () => {
    await using rig = await open(transport, { channels: { "prices/*": { keep: "latest" } } });
    const state = new Map<string, unknown>();
    const channel = rig.client.channel<number>("prices/all");
    await channel.publish(1, { key: "a" });
    await channel.publish(2, { key: "b" });
    await channel.publish(3, { key: "a" });
    await channel.delete("b");
    for await (const { key = "", kind, data } of channel.messages()) {
      if (kind === "deleted") state.delete(key);
      else state.set(key, data);
      if (kind === "deleted") break;
    }
    expect([...state]).toEqual([["a", 3]]);
  });

  it("receives a state of several answers once, although a deletion within it was forgotten [KEEP-20]", async () => {
    let later = 0;
    const broker = createMemoryBroker({ now: () => Date.now() + later });
    const hour = { keep: "latest", retention: { age: "1h" } } as const;
    await using rig = await open(transport, { channels: { values: hour }, broker });
    const values = rig.server.channel("values");
    const data = "x".repeat(60_000);
    const keys = Array.from({ length: 40 }, (_, index) => `key-${index}`);
    await values.publish("", { key: "gone" });
    for (const key of keys.slice(0, 30)) await values.publish(data, { key });
    await values.delete("gone");
    for (const key of keys.slice(30)) await values.publish(data, { key });
    later = 2 * 3_600_000;

    const channel = rig.client.channel("values");
    const gaps: unknown[] = [];
    channel.on("gap", (gap) => gaps.push(gap));
    const messages = await take(channel.messages(), keys.length);
    expect(messages.map(({ key }) => key)).toEqual(keys);
    expect(gaps).toEqual([]);
  });

  it("carries messages of an ephemeral channel to who is there [KEEP-14]", async () => {
    await using rig = await open(transport, { channels: { "cursors/*": { keep: "nothing" } } });
    const channel = rig.client.channel<number>("cursors/a");
    const messages = channel.messages();
    await reaches(channel, "attached");
    await channel.publish(1);
    expect((await take(messages, 1))[0]?.data).toBe(1);
  });

  it("refuses a channel that is not defined, and leaves the others alone [NAME-9]", async () => {
    await using rig = await open(transport, { channels: { "a/*": {} } });
    const good = rig.client.channel<number>("a/b", { since: "earliest" }).messages();
    const bad = rig.client.channel("z").messages().next();
    await expect(bad).rejects.toMatchObject({
      code: "unknown-channel",
      remedy: expect.stringMatching(/./) as string,
    });
    await rig.server.channel("a/b").publish(1);
    expect((await take(good, 1))[0]?.data).toBe(1);
  });

  it("publishes buffers and views of any realm as bytes [MSG-12]", async () => {
    await using rig = await open(transport);
    const channel = rig.client.channel<unknown>("a", { since: "earliest" });
    const foreign = runInNewContext("Uint8Array.of(104, 105)") as Uint8Array;
    const values = [foreign, foreign.buffer, new Float32Array([1]), new DataView(new ArrayBuffer(1))];
    for (const value of [...values, "text"]) await channel.publish(value);
    for (const value of values) await rig.server.channel("a").publish(value);
    const taken = await take(channel.messages(), 9);
    const bytes = [[104, 105], [104, 105], [0, 0, 128, 63], [0]].map((each) => Uint8Array.from(each));
    const kinds = bytes.map(() => "binary");
    expect(taken.map(({ data }) => data)).toEqual([...bytes, "text", ...bytes]);
    expect(taken.map(({ kind }) => kind)).toEqual([...kinds, "json", ...kinds]);
  });

  it("rejects what has no JSON form, tells it as dropped, and publishes what follows it [MSG-12]", async () => {
    await using rig = await open(transport);
    const channel = rig.client.channel<unknown>("a");
    const dropped: unknown[] = [];
    rig.client.on("dropped", ({ publish, reason }) => dropped.push([publish.data, reason]));
    const cycle: unknown[] = [];
    cycle.push(cycle);
    const thrower = {
      toJSON() {
        throw new Error("mine");
      },
    };
    for (const data of [new Map(), new Blob(["hi"]), 5n, cycle, thrower, undefined, () => 1]) {
      const error: unknown = await channel.publish(data).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(PartylineError);
      expect(error).toMatchObject({ code: "bad-json", remedy: expect.stringMatching(/./) as string });
      expect(dropped.pop()).toEqual([data, error]);
      await expect(rig.server.channel("a").publish(data)).rejects.toMatchObject({ code: "bad-json" });
    }
    expect(channel.pending).toEqual([]);
    expect(await channel.publish(1)).toMatchObject({ duplicate: false });
    expect((await rig.server.channel("a").history()).messages.map(({ data }) => data)).toEqual([1]);
  });

  it("rejects a publish that is refused, and publishes what follows it [PUB-8, PUB-11]", async () => {
    await using rig = await open(transport);
    const channel = rig.client.channel<unknown>("a");
    const outcomes = await Promise.allSettled([
      channel.publish(1, { id: "one" }),
      channel.publish(2, { id: "one" }),
      channel.publish(3),
      channel.publish(4, { id: "!" }),
      channel.publish(5),
    ]);
    expect(
      outcomes.map((outcome) =>
        outcome.status === "rejected" ? (outcome.reason as unknown) : outcome.status,
      ),
    ).toMatchObject(["fulfilled", { code: "id-reused" }, "fulfilled", { code: "bad-id" }, "fulfilled"]);
    const { messages } = await rig.server.channel("a").history({ since: "earliest" });
    expect(messages.map(({ data }) => data)).toEqual([1, 3, 5]);
  });

  it("sends again what was rate-limited, in order [GATE-11, ERR-3]", async () => {
    await using rig = await open(transport, { limits: { commandsPerSecond: 100, commandBurst: 30 } });
    const channel = rig.client.channel<number>("a");
    const numbers = Array.from({ length: 60 }, (_, n) => n);
    await Promise.all(numbers.map((n) => channel.publish(n)));
    const { messages } = await rig.server.channel("a").history({ since: "earliest" });
    expect(messages.map(({ data }) => data)).toEqual(numbers);
  });

  it("gives a slow reader everything in order, however much comes meanwhile [ATT-11]", async () => {
    await using rig = await open(transport, {}, { bufferedMessages: 50 });
    const channel = rig.client.channel<number>("a", { since: "earliest" });
    const messages = channel.messages();
    const numbers = Array.from({ length: 1_000 }, (_, n) => n);
    for (const n of numbers) await rig.server.channel("a").publish(n);
    const lagging = reaches(channel, "lagging");
    expect((await take(messages, 1))[0]?.data).toBe(0);
    await lagging;
    expect((await take(messages, 999)).map(({ data }) => data)).toEqual(numbers.slice(1));
  });

  it("ends as closed where the server does not let it in, with the reason", async () => {
    await using rig = await open(transport, { authenticate: () => undefined });
    const next = rig.client.channel("a").messages().next();
    await expect(next).rejects.toMatchObject({ code: "unauthorized" });
    expect(rig.client.state).toMatchObject({ status: "closed", reason: { code: "unauthorized" } });
  });

  it("refuses a frame's worth of data that is too large, before it is sent [MSG-5]", async () => {
    await using rig = await open(transport, { limits: { messageBytes: 100 } });
    const channel = rig.client.channel("a");
    await channel.publish(1);
    await expect(channel.publish("x".repeat(101), { kind: "text" })).rejects.toMatchObject({
      code: "too-large",
    });
    await expect(channel.publish("x".repeat(100), { kind: "text" })).resolves.toMatchObject({
      duplicate: false,
    });
  });
});
