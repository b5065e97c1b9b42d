import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createMemoryBroker } from "../src/brokers/memory/index.ts";
import type { Broker, Clock } from "../src/core/ports.ts";
import { createPartyline, type Partyline } from "../src/server.ts";
import { readStream } from "./transport/http-probes.ts";
import { deferred, Inbox } from "./transport/probe.ts";

let server: Partyline;
let url: string;

beforeEach(async () => {
  server = createPartyline();
  ({ url } = await server.listen(0));
});

afterEach(() => server.close());

const HELLO = { t: "hello", v: 1 };

function post(lines: object[], headers: Record<string, string> = {}): Promise<Response> {
  const body = lines.map((line) => JSON.stringify(line)).join("\n");
  const type = { "content-type": "application/x-ndjson" };
  return fetch(`${url}/connect`, { method: "POST", body, headers: { ...type, ...headers } });
}

async function framesOf(response: Response): Promise<unknown[]> {
  const text = await response.text();
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);
}

describe("commands by POST /connect", () => {
  it("are answered one line each, in order, behind the welcome [CONN-3, WIRE-7]", async () => {
    const response = await post([
      HELLO,
      { t: "publish", n: 1, channel: "a", id: "x", at: 1, data: 1.5 },
      { t: "publish", n: 2, channel: "b", id: "x", at: 1, data: 2 },
      { t: "publish", n: 3, channel: "a", id: "x", at: 1, data: 1.5 },
      { t: "ping", n: 4 },
    ]);
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/x-ndjson"]);
    const position = await server.channel("a").position();
    expect(await framesOf(response)).toMatchObject([
      { t: "welcome", v: 1 },
      { t: "result", n: 1, position },
      { t: "result", n: 2 },
      { t: "result", n: 3, position, duplicate: true },
      { t: "pong", n: 4 },
    ]);
  });

  it("hold a channel behind a publish that is refused, within their POST alone [PUB-8]", async () => {
    const publish = (n: number, id: string): object => ({
      t: "publish",
      n,
      channel: "a",
      id,
      at: 1,
      data: n,
    });
    const first = await framesOf(await post([HELLO, publish(1, "not an id"), publish(2, "y")]));
    expect(first.slice(1)).toMatchObject([
      { t: "error", n: 1, code: "bad-id" },
      { t: "error", n: 2, code: "again" },
    ]);
    const second = await framesOf(await post([HELLO, publish(3, "y")]));
    expect(second[1]).toMatchObject({ t: "result", n: 3 });
  });

  it("don't attach; and a stream's or poll's body does nothing else [CONN-5]", async () => {
    const attach = { t: "attach", n: 1, channel: "a", since: "earliest" };
    expect(await framesOf(await post([HELLO, attach]))).toMatchObject([
      {},
      { t: "error", n: 1, code: "bad-frame" },
    ]);
    const poll = await framesOf(
      await post([
        { ...HELLO, wait: 1 },
        { t: "ping", n: 1 },
      ]),
    );
    expect(poll[1]).toMatchObject({ t: "error", n: 1, code: "bad-frame" });
  });
});

describe("a long poll by POST /connect", () => {
  it("is answered by all that is there, or when something comes [CONN-2]", async () => {
    const poll = (since: string): Promise<Response> =>
      post([
        { ...HELLO, wait: 20 },
        { t: "attach", n: 1, channel: "a", since },
        { t: "attach", n: 2, channel: "b", since },
      ]);
    const waiting = poll("now");
    while ((server.counters().attached?.[""] ?? 0) < 2) await new Promise((resolve) => setImmediate(resolve));
    for (let n = 1; n <= 3; n++) await server.channel("a").publish(n);
    await server.channel("b").publish("b");
    const told = await framesOf(await waiting);
    expect(told.slice(3)).toMatchObject([{ data: 1 }, { data: 2 }, { data: 3 }, { data: "b" }]);
    expect(
      (await framesOf(await poll("earliest"))).filter((frame) => (frame as { t: string }).t === "m"),
    ).toHaveLength(4);
  });

  it("tells where its channels stand, however long the broker takes [CONN-2]", async () => {
    const memory = createMemoryBroker();
    const asked = deferred<void>();
    const late = deferred<void>();
    const broker: Broker = {
      ...memory,
      async subscribe(...args) {
        asked.resolve();
        await late.promise;
        return memory.subscribe(...args);
      },
    };
    const timers: (() => void)[] = [];
    const clock: Clock = {
      now: () => performance.now(),
      nextTurn: (fire) => void setImmediate(fire),
      setTimer(fire) {
        timers.push(fire);
        return { cancel: () => undefined };
      },
    };
    const slow = createPartyline({ broker, clock });
    ({ url } = await slow.listen(0));
    const answer = post([
      { ...HELLO, wait: 1 },
      { t: "attach", n: 1, channel: "a", since: "earliest" },
    ]);
    await asked.promise;
    for (const fire of timers.splice(0)) fire();
    late.resolve();
    expect(await framesOf(await answer)).toMatchObject([{ t: "welcome" }, { t: "attached", channel: "a" }]);
    await slow.close();
  });

  it("tells where all its channels stand, also where one has news at once [CONN-2]", async () => {
    const memory = createMemoryBroker();
    const asked = deferred<void>();
    const late = deferred<void>();
    const broker: Broker = {
      ...memory,
      async read(spec, ...args) {
        if (spec.name === "b") {
          asked.resolve();
          await late.promise;
        }
        return memory.read(spec, ...args);
      },
    };
    await using slow = createPartyline({ broker });
    ({ url } = await slow.listen(0));
    await slow.channel("a").publish("news");
    const answer = post([
      { ...HELLO, wait: 20 },
      { t: "attach", n: 1, channel: "a", since: "earliest" },
      { t: "attach", n: 2, channel: "b", since: "earliest" },
    ]);
    await asked.promise;
    // The turn in which the news came has ended by then.
    for (let turns = 0; turns < 3; turns++) await new Promise((resolve) => setImmediate(resolve));
    late.resolve();
    const frames = await framesOf(await answer);
    expect(frames).toContainEqual(expect.objectContaining({ t: "m", data: "news" }));
    expect(frames).toContainEqual(expect.objectContaining({ t: "attached", channel: "b" }));
  });

  it("is answered at once where an attach found a gap, or was refused [CONN-2]", async () => {
    const poll = async (attach: object): Promise<unknown> =>
      (
        await framesOf(
          await post([
            { ...HELLO, wait: 20 },
            { t: "attach", n: 1, ...attach },
          ]),
        )
      )[1];
    expect(await poll({ channel: "a", since: "000000000000:1" })).toMatchObject({ gap: { reason: "epoch" } });
    expect(await poll({ channel: "a//b" })).toMatchObject({ t: "error", code: "bad-name" });
  });

  it("is empty but for its attach after its time", async () => {
    const frames = await framesOf(
      await post([
        { ...HELLO, wait: 0.01 },
        { t: "attach", n: 1, channel: "a" },
      ]),
    );
    expect(frames).toMatchObject([{ t: "welcome" }, { t: "attached", replayed: 0 }]);
  });

  it("gives up its seat when its client goes", async () => {
    const abort = new AbortController();
    const body = '{"t":"hello","v":1,"wait":50}\n{"t":"attach","n":1,"channel":"a"}';
    const polling = fetch(`${url}/connect`, { method: "POST", body, signal: abort.signal });
    while (server.counters().attached === undefined) await new Promise((resolve) => setImmediate(resolve));
    abort.abort();
    await expect(polling).rejects.toThrow("aborted");
    await server.close();
  });
});

describe("a stream by POST /connect", () => {
  it("is unnamed events of frames without ids, welcome first [CONN-1]", async () => {
    const response = await post([HELLO, { t: "attach", n: 1, channel: "a" }], {
      accept: "text/event-stream",
    });
    const events = new Inbox<{ event: string; id: string; data: string }>();
    const reading = readStream(response, { event: (event) => events.push(event), end: () => undefined });
    const first = await events.next();
    expect([first.event, first.id]).toEqual(["message", ""]);
    expect(first.data.split("\n").map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { t: "welcome" },
      { t: "attached", n: 1 },
    ]);
    await server.channel("a").publish("x");
    expect(JSON.parse((await events.next()).data)).toMatchObject({ t: "m", data: "x" });
    await server.close();
    await reading;
  });

  it("hands over to another one at its position, and nothing is lost or twice but for doubles [CONN-7]", async () => {
    const open = async (since: string): Promise<Inbox<number>> => {
      const attach = { t: "attach", n: 1, channel: "a", since };
      const response = await post([HELLO, attach], { accept: "text/event-stream" });
      const offsets = new Inbox<number>();
      void readStream(response, {
        event: ({ data }) => {
          for (const line of data.split("\n")) {
            const frame = JSON.parse(line) as { t: string; offset: number };
            if (frame.t === "m") offsets.push(frame.offset);
          }
        },
        end: () => undefined,
      });
      return offsets;
    };
    const before = await open("earliest");
    for (let n = 1; n <= 3; n++) await server.channel("a").publish(n);
    expect([await before.next(), await before.next(), await before.next()]).toEqual([1, 2, 3]);
    const after = await open(await server.channel("a").position());
    await server.channel("a").publish(4);
    expect([await before.next(), await after.next()]).toEqual([4, 4]);
  });
});
