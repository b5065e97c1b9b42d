/** One suite of what a reader sees, run over every transport. */
import { afterAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createMemoryBroker, type MemoryBroker } from "../src/brokers/memory/index.ts";
import { createPartyline, type ListenOptions, type Partyline, type PartylineOptions } from "../src/server.ts";
import { makeCertificate } from "./support/certificate.ts";
import { createHttp2Fetch } from "./support/http2-fetch.ts";
import type { Probe, Told, Transport } from "./transport/probe.ts";
import { TRANSPORTS } from "./transport/transports.ts";

interface Rig extends AsyncDisposable {
  readonly server: Partyline;
  readonly broker: MemoryBroker;
  readonly url: string;
}

async function startRig(options: PartylineOptions, listening: ListenOptions): Promise<Rig> {
  const broker = createMemoryBroker();
  const server = createPartyline({ broker, ...options });
  const { url } = await server.listen(0, "127.0.0.1", listening);
  return { server, broker, url, [Symbol.asyncDispose]: () => server.close() };
}

const tls = makeCertificate();

interface Way extends Transport {
  readonly listening: ListenOptions;
  readonly compression?: PartylineOptions["compression"];
}

/** With TLS, WebSockets go over HTTP/1.1 and all else over HTTP/2. */
const WAYS: readonly Way[] = [
  ...TRANSPORTS.map((transport) => ({ ...transport, listening: {} })),
  ...TRANSPORTS.filter(({ name }) => name.endsWith("event stream")).map((transport) => ({
    ...transport,
    name: `${transport.name} that is compressed`,
    listening: {},
    compression: { threshold: 100 },
  })),
  ...TRANSPORTS.map((transport) => ({
    ...transport,
    name: `${transport.name} with TLS`,
    listening: { tls },
  })),
];

/** Publishes `1` to `count`, as text. */
async function fill(server: Partyline, channel: string, count: number, from = 1): Promise<void> {
  for (let n = from; n < from + count; n++) await server.channel(channel).publish(String(n));
}

async function take(probe: Probe, count: number): Promise<Told[]> {
  const told: Told[] = [];
  while (told.length < count) told.push(await probe.next());
  return told;
}

function dataOf(told: readonly Told[]): (string | undefined)[] {
  return told.map((one) => (one.is === "message" ? one.data : one.is));
}

/** The gap that an attach was answered with, or its end. */
async function firstGap(probe: Probe): Promise<unknown> {
  return probe.opening.gap ?? (await probe.next());
}

/** The next gap; an answer in JSON gives the messages behind it first. */
async function nextGap(probe: Probe): Promise<unknown> {
  for (;;) {
    const told = await probe.next();
    if (told.is === "gap") return told;
  }
}

function numbers(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_value, index) => String(from + index));
}

describe.each(WAYS)("over $name", ({ listening, compression = false, ...transport }) => {
  const { lacks } = transport;
  const start = (options: PartylineOptions = {}): Promise<Rig> =>
    startRig({ compression, ...options }, listening);

  if (listening.tls) {
    const http2 = createHttp2Fetch();
    beforeEach(() => void vi.stubGlobal("fetch", http2.fetch));
    afterAll(() => http2[Symbol.asyncDispose]());
  }

  /** What of a gap this wire tells. */
  const gap = (fields: { from: string; to: string; reason: string }): object =>
    lacks["open end"] === undefined ? fields : { to: fields.to };

  it("gives what is published from now on, in order, once [ATT-1, ATT-4, POS-9, POS-10]", async () => {
    await using rig = await start();
    await fill(rig.server, "a/b", 3);
    await using probe = await transport.open({ url: rig.url, channel: "a/b" });
    await fill(rig.server, "a/b", 5, 4);
    expect(dataOf(await take(probe, 5))).toEqual(numbers(4, 8));
  });

  it("replays all that is kept before what comes [POS-11, ATT-2]", async () => {
    await using rig = await start();
    await fill(rig.server, "a", 600);
    await using probe = await transport.open({ url: rig.url, channel: "a", since: "earliest" });
    await fill(rig.server, "a", 10, 601);
    expect(dataOf(await take(probe, 610))).toEqual(numbers(1, 610));
  });

  it("replays the newest N [POS-12]", async () => {
    await using rig = await start();
    await fill(rig.server, "a", 9);
    await using probe = await transport.open({ url: rig.url, channel: "a", since: "last:2" });
    expect(dataOf(await take(probe, 2))).toEqual(["8", "9"]);
  });

  it("goes on from a position, and from the head [POS-13, POS-14, POS-19]", async () => {
    await using rig = await start();
    await fill(rig.server, "a", 4);
    const head = await rig.server.channel("a").position();
    const second = head.replace(":4", ":2");
    await using probe = await transport.open({ url: rig.url, channel: "a", since: second });
    await using atHead = await transport.open({ url: rig.url, channel: "a", since: head });
    const told = "position" in probe.opening;
    expect(probe.opening).toMatchObject(told ? { position: second, replayed: 2 } : {});
    expect(atHead.opening).toMatchObject(told ? { position: head, replayed: 0 } : {});
    await fill(rig.server, "a", 1, 5);
    expect(dataOf(await take(probe, 3))).toEqual(["3", "4", "5"]);
    expect(dataOf(await take(atHead, 1))).toEqual(["5"]);
  });

  it("tells a gap where what follows a position is no longer kept [POS-15, GAP-1, GAP-2, WS-3, HTTP-10]", async () => {
    await using rig = await start({ retention: { count: 3 } });
    await fill(rig.server, "a", 10);
    const head = await rig.server.channel("a").position();
    const from = head.replace(":10", ":2");
    const to = head.replace(":10", ":7");
    await using probe = await transport.open({ url: rig.url, channel: "a", since: from });
    expect(await firstGap(probe)).toMatchObject(gap({ from, to, reason: "retention" }));
    expect(dataOf(await take(probe, lacks["open end"] === undefined ? 3 : 0))).toEqual(
      lacks["open end"] === undefined ? ["8", "9", "10"] : [],
    );
  });

  it("tells a gap for a position of another life of the log, and for one above its head [POS-16, POS-17]", async () => {
    await using rig = await start();
    await fill(rig.server, "a", 2);
    const head = await rig.server.channel("a").position();
    for (const [since, to, reason] of [
      ["000000000000:1", head.replace(":2", ":0"), "epoch"],
      [head.replace(":2", ":9"), head, "unknown-position"],
    ] as const) {
      await using probe = await transport.open({ url: rig.url, channel: "a", since });
      expect(await firstGap(probe)).toMatchObject(gap({ from: since, to, reason }));
    }
  });

  it("never gives messages of another channel for its position", async () => {
    await using rig = await start();
    await fill(rig.server, "secret", 3);
    await fill(rig.server, "a", 1);
    const foreign = (await rig.server.channel("secret").position()).replace(":3", ":0");
    await using probe = await transport.open({ url: rig.url, channel: "a", since: foreign });
    const to = (await rig.server.channel("a").position()).replace(":1", ":0");
    expect(await firstGap(probe)).toMatchObject(gap({ from: foreign, to, reason: "epoch" }));
    expect(await probe.next()).toMatchObject(lacks["open end"] === undefined ? { data: "1" } : { is: "end" });
  });

  it("carries JSON as it came, text and bytes, also empty [MSG-1, MSG-4, MSG-6, MSG-9]", async () => {
    await using rig = await start();
    await using probe = await transport.open({ url: rig.url, channel: "a" });
    const json = '{"a":1.0,"b":12345678901234567890,"ü":"\\u00fc"}';
    const bytes = Uint8Array.from({ length: 256 }, (_value, index) => index);
    const post = (body: string | Uint8Array<ArrayBuffer>, type: string): Promise<Response> =>
      fetch(`${rig.url}/channels/a`, { method: "POST", body, headers: { "content-type": type } });
    await post(json, "application/json");
    await post("line\nline ü 😀", "text/plain");
    await post(bytes, "application/octet-stream");
    await post("", "text/plain");
    expect(await take(probe, 4)).toMatchObject([
      { is: "message", kind: "json", data: json },
      { is: "message", kind: "text", data: "line\nline ü 😀" },
      { is: "message", kind: "binary", data: Buffer.from(bytes).toString("base64") },
      { is: "message", kind: "text", data: "" },
    ]);
  });

  it("carries large messages whole, between small ones, replayed and live", async () => {
    await using rig = await start();
    const sizes = [1, 30_000, 2, 52_000, 3, 8_192, 20_000, 4];
    const data = sizes.map((size, index) => `${index} ü\n`.repeat(size).slice(0, size));
    const publish = async (): Promise<void> => {
      for (const text of data) await rig.server.channel("a").publish(text);
    };
    await publish();
    await using probe = await transport.open({ url: rig.url, channel: "a", since: "earliest" });
    for (let round = 0; round < 2; round++) {
      const told = dataOf(await take(probe, data.length));
      expect(told.map((text, index) => text === data[index])).toEqual(data.map(() => true));
      await publish();
    }
  });

  it("tells the id and key of a message exactly where it has one [MSG-8, PUB-4]", async ({ skip }) => {
    skip(lacks.ids !== undefined, lacks.ids);
    await using rig = await start();
    await using probe = await transport.open({ url: rig.url, channel: "a" });
    await rig.server.channel("a").publish("x", { id: "my-id", key: "k" });
    await rig.server.channel("a").publish("y");
    expect(await take(probe, 2)).toEqual([
      { is: "message", kind: "text", offset: 1, id: "my-id", key: "k", data: "x" },
      { is: "message", kind: "text", offset: 2, data: "y" },
    ]);
  });

  it("tells that a key was deleted [MSG-10]", async ({ skip }) => {
    skip(lacks.deletions !== undefined, lacks.deletions);
    await using rig = await start({ channels: { "**": { keep: "latest" } } });
    await rig.server.channel("a").publish("x", { key: "k" });
    await using probe = await transport.open({ url: rig.url, channel: "a", since: "now" });
    await rig.server.channel("a").delete("k");
    const [told] = await take(probe, 1);
    expect(told).toEqual({ is: "message", kind: "deleted", offset: 2, key: "k" });
  });

  it("gives the state of a channel that keeps the latest values, then what comes [POS-9, KEEP-13]", async () => {
    await using rig = await start({ channels: { "**": { keep: "latest" } } });
    const channel = rig.server.channel("prices");
    for (const [key, value] of [
      ["a", "1"],
      ["b", "2"],
      ["a", "3"],
      ["a", "4"],
    ] as const)
      await channel.publish(value, { key });
    await using probe = await transport.open({ url: rig.url, channel: "prices" });
    const told = lacks.skips === undefined ? ["2", "skip", "4"] : ["2", "4"];
    expect(dataOf(await take(probe, told.length))).toEqual(told);
    await channel.publish("5", { key: "b" });
    expect(dataOf(await take(probe, 1))).toEqual(["5"]);
  });

  it("tells a reader that the log began a new life, and goes on there [GAP-4]", async () => {
    await using rig = await start();
    await fill(rig.server, "a", 3);
    await using probe = await transport.open({ url: rig.url, channel: "a", since: "earliest" });
    await take(probe, 3);
    const head = await rig.server.channel("a").position();
    rig.broker.forget("a");
    await fill(rig.server, "a", 1, 7);
    const to = (await rig.server.channel("a").position()).replace(":1", ":0");
    expect(await nextGap(probe)).toMatchObject(gap({ from: head, to, reason: "epoch" }));
  });

  it("repeats its position when a channel is quiet [LIVE-1]", async ({ skip }) => {
    skip(lacks.marks !== undefined, lacks.marks);
    await using rig = await start({ intervals: { mark: 100 } });
    await fill(rig.server, "a", 2);
    await using probe = await transport.open({ url: rig.url, channel: "a" });
    expect(await probe.next()).toEqual({ is: "mark", position: await rig.server.channel("a").position() });
  });

  it("refuses what is no position, with its code [POS-7]", async () => {
    await using rig = await start();
    for (const since of ["yesterday", "e:1", "last:-1", "000000000000:01"])
      await expect(transport.open({ url: rig.url, channel: "a", since })).rejects.toMatchObject({
        code: "bad-position",
      });
  });

  it("refuses names that are none, and channels that are not defined [NAME-1, NAME-2, NAME-3, NAME-9]", async () => {
    await using rig = await start({ channels: { "chat/*": {} } });
    for (const channel of ["chat//a", "chat/*", "chat/a:b", "chat/{a}", `chat/${"x".repeat(300)}`])
      await expect(transport.open({ url: rig.url, channel })).rejects.toMatchObject({ code: "bad-name" });
    await expect(transport.open({ url: rig.url, channel: "other" })).rejects.toMatchObject({
      code: "unknown-channel",
    });
  });

  it("refuses reading without a grant, and reserved channels to all [ATT-10, NAME-7]", async () => {
    await using rig = await start({
      authenticate: ({ token }) => ({
        grants: { allows: (_action, channel) => channel !== "private" || token === "key" },
      }),
    });
    await expect(transport.open({ url: rig.url, channel: "private" })).rejects.toMatchObject({
      code: "forbidden",
    });
    await using probe = await transport.open({ url: rig.url, channel: "private", token: "key" });
    await fill(rig.server, "private", 1);
    expect(dataOf(await take(probe, 1))).toEqual(["1"]);
    await using open = await start();
    await expect(transport.open({ url: open.url, channel: "$nodes" })).rejects.toMatchObject({
      code: "forbidden",
    });
  });

  it("takes two spellings of a name for one channel [NAME-4, NAME-5]", async () => {
    await using rig = await start();
    await using probe = await transport.open({ url: rig.url, channel: "caf\u0065\u0301 x/%" });
    await fill(rig.server, "caf\u00e9 x/%", 1);
    expect(dataOf(await take(probe, 1))).toEqual(["1"]);
  });

  it("ends, told why where the wire can, when the server does", async () => {
    const rig = await start();
    await using probe = await transport.open({ url: rig.url, channel: "a" });
    await rig.server.close();
    expect((await probe.next()).is).toBe("end");
  });
});
