/** A reader that asks for less, over each transport. */
import { describe, expect, it } from "vitest";
import { createClient, type ChannelSkip, type TransportName } from "../src/client/index.ts";
import { createPartyline, type Partyline } from "../src/server.ts";
import { silent } from "./support/line-rig.ts";
import { ask } from "./transport/ask.ts";
import { openRawSse, readStream } from "./transport/http-probes.ts";
import type { Probe } from "./transport/probe.ts";
import { TRANSPORTS } from "./transport/transports.ts";
import { openSocket } from "./transport/websocket-probes.ts";

interface Rig extends AsyncDisposable {
  readonly server: Partyline;
  readonly url: string;
  readonly port: number;
}

async function start(): Promise<Rig> {
  const server = createPartyline({
    logger: silent,
    channels: { prices: { keep: "latest" }, cursors: { keep: "nothing" }, "**": {} },
  });
  const { url, port } = await server.listen(0);
  return { server, url, port, [Symbol.asyncDispose]: () => server.close() };
}

/** Publishes `1` to `last`, or from where it was, in one turn. */
async function burst(server: Partyline, channel: string, first: number, last: number): Promise<void> {
  const all = [];
  for (let n = first; n <= last; n++)
    all.push(server.channel(channel).publish(String(n), channel === "prices" ? { key: `k${n % 2}` } : {}));
  await Promise.all(all);
}

/** What it is told up to the message `last`, in short. */
async function readTo(probe: Probe, last: string): Promise<string[]> {
  const told: string[] = [];
  for (;;) {
    const one = await probe.next();
    if (one.is === "skip") told.push(`skip ${one.from.split(":")[1]} ${one.to.split(":")[1]}`);
    if (one.is === "message") told.push(String(one.data));
    if (one.is === "end") throw new Error(`The connection ended: ${one.code}`);
    if (one.is === "message" && one.data === last) return told;
  }
}

const streams = TRANSPORTS.filter(({ name }) => name !== "long polls in JSON");

describe.each(streams)("$name", (transport) => {
  const { name, lacks } = transport;
  const withoutSkips = (told: string[]): string[] =>
    lacks.skips ? told.filter((line) => !line.startsWith("skip")) : told;

  // Between two polls nobody is attached, and what is not kept is gone.
  it.each(name.includes("polls") ? ["a"] : ["a", "cursors"])(
    "asked for less of %s, gives the newest message and tells what it leaves out [RATE-3, RATE-4]",
    async (channel) => {
      await using rig = await start();
      await using probe = await transport.open({ url: rig.url, channel, since: "now", maxRate: 50 });
      await burst(rig.server, channel, 1, 20);
      expect(await readTo(probe, "20")).toEqual(withoutSkips(["skip 0 19", "20"]));
      await burst(rig.server, channel, 21, 40);
      expect(await readTo(probe, "40")).toEqual(withoutSkips(["skip 20 39", "40"]));
    },
  );

  it("asked for less of the latest values, gives the newest of each key [RATE-3, RATE-4]", async () => {
    await using rig = await start();
    await using probe = await transport.open({ url: rig.url, channel: "prices", maxRate: 50 });
    await burst(rig.server, "prices", 1, 20);
    expect(await readTo(probe, "20")).toEqual(withoutSkips(["skip 0 18", "19", "20"]));
    await burst(rig.server, "prices", 21, 40);
    expect(await readTo(probe, "40")).toEqual(withoutSkips(["skip 20 38", "39", "40"]));
  });

  it.each([0, -1, 1_001])("asked for %d a second, is refused [RATE-1]", async (maxRate) => {
    await using rig = await start();
    await expect(transport.open({ url: rig.url, channel: "a", maxRate })).rejects.toMatchObject({
      code: "bad-limit",
    });
  });
});

it("/events asked for less gives the newest of each of its channels [RATE-3, RATE-4]", async () => {
  await using rig = await start();
  const abort = new AbortController();
  const response = await fetch(`${rig.url}/events?channel=a&channel=b&maxRate=50`, {
    headers: { accept: "text/event-stream" },
    signal: abort.signal,
  });
  const events: string[] = [];
  const reading = new Promise<void>((resolve) => {
    void readStream(response, {
      event({ event, data }) {
        const { channel, offset, from } = JSON.parse(data) as Record<string, string>;
        events.push(`${event} ${channel} ${offset ?? from?.split(":")[1] ?? ""}`.trim());
        if (event === "continuous" && channel === "b")
          void burst(rig.server, "a", 1, 9).then(() => burst(rig.server, "b", 1, 5));
        if (events.includes("message a 9") && events.includes("message b 5")) resolve();
      },
      end: () => undefined,
    });
  });
  await reading;
  abort.abort();
  expect(events.filter((event) => event.includes(" a"))).toEqual(["continuous a", "skip a 0", "message a 9"]);
  expect(events.filter((event) => event.includes(" b"))).toEqual(["continuous b", "skip b 0", "message b 5"]);
  const refused = await ask(rig.port, "/events?channel=a&maxRate=none", {
    headers: { accept: "text/event-stream" },
  });
  expect([refused.status, JSON.parse(refused.body)]).toMatchObject([400, { code: "bad-limit" }]);
});

it("a stream that resumes behind what it was given goes on at the newest [RATE-3, RATE-4]", async () => {
  await using rig = await start();
  await burst(rig.server, "a", 1, 5);
  const { position } = await rig.server.channel("a").publish("6");
  await burst(rig.server, "a", 7, 30);
  const request = { url: rig.url, channel: "a", maxRate: 1 };
  await using probe = await openRawSse(request, { "last-event-id": position });
  expect(probe.opening).toMatchObject({ position });
  expect(await readTo(probe, "30")).toEqual(["skip 6 29", "30"]);
});

it("a frame whose maxRate is no number is refused with its number, and the connection stays [RATE-1]", async () => {
  await using rig = await start();
  const socket = await openSocket(`${rig.url}/connect`, ["partyline.v1"]);
  const lines: string[] = [];
  const pong = new Promise<void>((resolve) => {
    socket.on("message", (data: Buffer) => {
      lines.push(...data.toString().split("\n"));
      if (lines.some((line) => line.includes('"pong"'))) resolve();
    });
  });
  socket.send('{"t":"hello","v":1}\n{"t":"attach","n":1,"channel":"a","maxRate":"2"}\n{"t":"ping","n":2}');
  await pong;
  socket.terminate();
  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
    { t: "welcome" },
    { t: "error", n: 1, code: "bad-limit" },
    { t: "pong", n: 2 },
  ]);
});

describe.each<TransportName>(["ws", "sse", "poll"])("the client over %s", (transport) => {
  it("that asks for less is told what was left out, and holds the newest [RATE-4, RATE-5, READ-5]", async () => {
    await using rig = await start();
    const client = createClient(rig.url, { transports: [transport] });
    const channel = client.channel("a", { since: "earliest", maxRate: 20 });
    const skips: ChannelSkip[] = [];
    const offsets: number[] = [];
    channel.on("skip", (skip) => skips.push(skip));
    const has = (offset: number): Promise<void> =>
      new Promise((resolve) => {
        const off = channel.on("message", (message) => {
          if (message.offset !== offset) return;
          off();
          resolve();
        });
      });
    channel.on("message", ({ offset }) => offsets.push(offset));
    const first = has(30);
    await burst(rig.server, "a", 1, 30);
    await first;
    const second = has(60);
    await burst(rig.server, "a", 31, 60);
    await second;
    await client.close();
    const known = [
      ...offsets,
      ...skips.flatMap(({ from, to }) => {
        const [after, last] = [from, to].map((position) => Number(position.split(":")[1])) as [
          number,
          number,
        ];
        return Array.from({ length: last - after }, (_, index) => after + 1 + index);
      }),
    ];
    // Each of them once: given, or named by a skip.
    expect(known.toSorted((one, other) => one - other)).toEqual(Array.from({ length: 60 }, (_, n) => n + 1));
    expect(offsets.length).toBeLessThan(10);
  });

  it("that asks for what can't be is refused [RATE-1]", async () => {
    await using rig = await start();
    const client = createClient(rig.url, { transports: [transport] });
    const messages = client.channel("a", { maxRate: 0 }).messages();
    await expect(messages.next()).rejects.toMatchObject({ code: "bad-limit" });
    await client.close();
  });
});
