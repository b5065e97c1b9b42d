/** Each limit, lowered and then broken over the network. The table is complete by its type: a new limit needs its row. */
import { afterEach, describe, expect, it } from "vitest";
import { connectFrameBytes, DEFAULT_LIMITS, type Limits } from "../src/protocol/limits.ts";
import {
  attach,
  type Breach,
  codeIn,
  endAll,
  frameOf,
  HELLO,
  onEnd,
  outcome,
  pings,
  post,
  say,
  start,
  stay,
  STREAM,
  uploadSlowly,
} from "./support/breaches.ts";
import { listen, talk } from "./support/peers.ts";
import { ask } from "./transport/ask.ts";
import { openSocket } from "./transport/websocket-probes.ts";

afterEach(endAll);

const BREACHES: Record<keyof Limits, readonly Breach[]> = {
  messageBytes: [
    {
      limits: { messageBytes: 10 },
      how: "in the body of a request",
      is: "too-large",
      provoke: async (rig) => [
        await post(rig, "/channels/a", "x".repeat(10)),
        await post(rig, "/channels/a", "x".repeat(11)),
      ],
    },
    {
      limits: { messageBytes: 10 },
      how: "in a frame of a raw WebSocket",
      is: 1009,
      provoke: async (rig) => [
        await say(rig, "/channels/a", "x".repeat(10)),
        await say(rig, "/channels/a", "x".repeat(11)),
      ],
    },
    {
      limits: { messageBytes: 10 },
      how: "by a frame of /connect that no message needs [WS-8]",
      is: 1009,
      provoke: async (rig) => [
        await say(rig, "/connect", HELLO, frameOf(connectFrameBytes({ messageBytes: 10 }))),
        await say(rig, "/connect", HELLO, frameOf(connectFrameBytes({ messageBytes: 10 }) + 1)),
      ],
    },
  ],
  channelsPerConnection: [
    {
      limits: { channelsPerConnection: 2 },
      how: "by attaches of one connection [ATT-9]",
      is: "too-many-channels",
      provoke: async (rig) => {
        const body = (count: number): string =>
          [HELLO.replace("}", ',"wait":0.001}'), attach(1), attach(2), attach(3)]
            .slice(0, count + 1)
            .join("\n");
        return [await post(rig, "/connect", body(2)), await post(rig, "/connect", body(3))];
      },
    },
  ],
  commandsPerSecond: [
    {
      limits: { commandsPerSecond: 0.001, commandBurst: 3 },
      how: "by commands behind a burst [GATE-11]",
      is: "rate-limited",
      provoke: async (rig) => [
        await post(rig, "/connect", `${HELLO}\n${pings(3)}`),
        await post(rig, "/connect", `${HELLO}\n${pings(4)}`),
      ],
    },
  ],
  commandBurst: [
    {
      limits: { commandBurst: 5, commandsPerSecond: 0.001 },
      how: "by commands at once [GATE-11]",
      is: "rate-limited",
      provoke: async (rig) => [
        await post(rig, "/connect", `${HELLO}\n${pings(5)}`),
        await post(rig, "/connect", `${HELLO}\n${pings(6)}`),
      ],
    },
  ],
  pendingPublishes: [
    {
      limits: { pendingPublishes: 2 },
      how: "by publishes that the broker lets wait [LIM-1]",
      is: "overloaded",
      provoke: async (rig) => {
        // One is being stored and two wait; only the one that is too many is answered by now.
        const frame = (n: number): string =>
          `{"t":"publish","n":${n},"channel":"slow","id":"p${n}","at":1,"data":1}`;
        const socket = await openSocket(`${rig.url}/connect`);
        onEnd(() => socket.terminate());
        const answer = new Promise<string>((resolve) =>
          socket.on("message", (data: Buffer) => {
            if (data.toString().includes('"error"')) resolve(data.toString());
          }),
        );
        socket.send([HELLO, frame(1), frame(2), frame(3)].join("\n"));
        socket.send(frame(4));
        return ["fine", codeIn(await answer)];
      },
    },
  ],
  logBytes: [
    {
      limits: { logBytes: 1_000 },
      how: "by messages of channels that are read [LIM-5]",
      is: "overloaded",
      provoke: async (rig) => {
        await stay(openSocket(`${rig.url}/channels/a`));
        return [await post(rig, "/channels/a", "x".repeat(2_000)), await post(rig, "/channels/b", "y")];
      },
    },
  ],
  linesPerRequest: [
    {
      limits: { linesPerRequest: 4 },
      how: "by lines of one request, empty ones among them [CONN-6]",
      is: "too-large",
      provoke: async (rig) => [
        await post(rig, "/connect", `${HELLO}\n\n${pings(2)}\n`),
        await post(rig, "/connect", `${HELLO}\n\n${pings(3)}`),
      ],
    },
    {
      limits: { linesPerRequest: 4 },
      how: "by lines of one frame of /connect, empty ones among them [WIRE-12]",
      is: 4413,
      provoke: async (rig) => [
        await say(rig, "/connect", HELLO, `\n\n\n${pings(1)}`, pings(1)),
        await say(rig, "/connect", HELLO, `\n\n\n\n${pings(1)}`, pings(1)),
      ],
    },
  ],
  connections: [
    {
      limits: { connections: 1 },
      how: "by connections at once [LIM-2]",
      is: "too-many-connections",
      provoke: async (rig) => [
        await stay(openSocket(`${rig.url}/channels/a`)),
        await outcome(rig, "/channels/a", { headers: STREAM }),
      ],
    },
  ],
  connectionsPerAddress: [
    {
      limits: { connectionsPerAddress: 1 },
      how: "by connections of one address, which is not this machine's [GATE-10]",
      is: "too-many-connections",
      provoke: async ({ server }) => {
        const abort = new AbortController();
        onEnd(() => abort.abort());
        const from = async (address: string): Promise<string> => {
          const request = new Request("http://localhost/channels/a", {
            headers: STREAM,
            signal: abort.signal,
          });
          const response = await server.fetch(request, { address });
          return response.ok ? "fine" : codeIn(await response.text());
        };
        return [`${await from("203.0.113.7")}`, await from("203.0.113.7")];
      },
    },
  ],
  unauthenticatedConnections: [
    {
      limits: { unauthenticatedConnections: 1 },
      how: "by connections that have not said hello [GATE-9]",
      is: "too-many-connections",
      provoke: async (rig) => [
        await stay(openSocket(`${rig.url}/connect`)),
        await stay(openSocket(`${rig.url}/connect`)),
      ],
    },
  ],
  unauthenticatedBytes: [
    {
      limits: { unauthenticatedBytes: 100_000 },
      how: "by bodies whose sender has not said hello [HTTP-36]",
      is: "overloaded",
      provoke: async (rig) => {
        const body = (length: number): string => `${HELLO}\n${" ".repeat(length)}`;
        return [await post(rig, "/connect", body(20_000)), await post(rig, "/connect", body(100_000))];
      },
    },
  ],
  uploadBytesPerSecond: [
    {
      limits: { uploadBytesPerSecond: 100 },
      how: "by a body that arrives more slowly [HTTP-37]",
      is: "body-timeout",
      provoke: async () => {
        const upload = (rate: number): Promise<string> => uploadSlowly({ uploadBytesPerSecond: 100 }, rate);
        return [await upload(101), await upload(99)];
      },
    },
  ],
  attachesPerSecond: [
    {
      limits: { attachesPerSecond: 0.001, attachBurst: 1 },
      how: "by event streams, told in a stream [LIM-3]",
      is: "overloaded",
      provoke: async ({ url }) => {
        const [first, second] = [await listen(`${url}/channels/a`), await listen(`${url}/channels/a`)];
        onEnd(() => first.leave());
        const opening = await first.next();
        const { data } = (await second.next()) as { data: string };
        return [codeIn(JSON.stringify(opening)), codeIn(data)];
      },
    },
    {
      limits: { attachesPerSecond: 0.001, attachBurst: 1 },
      how: "by polls that come anew, not by those that go on [LIM-3]",
      is: "overloaded",
      provoke: async (rig) => {
        const poll = (wait: number): Promise<string> =>
          post(
            rig,
            "/connect",
            `{"t":"hello","v":1,"wait":${wait}}\n${attach(1).replace("}", ',"since":"earliest"}')}`,
          );
        await post(rig, "/channels/c1", "x");
        const fine = [await poll(0.001), await poll(20), await poll(20)];
        return [fine.find((one) => one !== "fine") ?? "fine", await poll(0.001)];
      },
    },
    {
      limits: { attachesPerSecond: 0.001, attachBurst: 1 },
      how: "by raw WebSockets, in the answer to the upgrade [LIM-3]",
      is: "overloaded",
      provoke: async ({ url }) => [
        await stay(openSocket(`${url}/channels/a`)),
        await stay(openSocket(`${url}/channels/a`)),
      ],
    },
  ],
  attachBurst: [
    {
      limits: { attachesPerSecond: 0.001, attachBurst: 2 },
      how: "by attaches on one WebSocket, one by one [LIM-3]",
      is: "overloaded",
      provoke: async ({ url }) => {
        const peer = await talk(url, HELLO);
        onEnd(() => peer.leave());
        for (const n of [1, 2, 3]) peer.say(attach(n));
        const answers = [await peer.next(), await peer.next(), await peer.next()].map((frame) =>
          JSON.stringify(frame),
        );
        const [first = "", second = "", third = ""] = answers;
        expect(third).toMatch(/"retryAfter":\d+/);
        return [codeIn(first + second), codeIn(third)];
      },
    },
    {
      limits: { attachesPerSecond: 0.001, attachBurst: 2 },
      how: "by the channels of one stream, all or none [LIM-3]",
      is: "overloaded",
      provoke: async (rig) => {
        const open = async (...attaches: string[]): Promise<string> => {
          const init = { method: "POST", headers: STREAM, body: [HELLO, ...attaches].join("\n") };
          const response = await fetch(`${rig.url}/connect`, init);
          if (!response.ok) return codeIn(await response.text());
          await response.body?.cancel();
          return "fine";
        };
        return [await open(attach(1)), await open(attach(1), attach(2))];
      },
    },
  ],
  helloTimeout: [
    {
      limits: { helloTimeout: 1 },
      how: "by silence before hello [WS-11]",
      is: 4401,
      provoke: async (rig) => [await say(rig, "/connect", HELLO), await say(rig, "/connect")],
    },
  ],
  historyMessages: [
    {
      limits: { historyMessages: 5 },
      how: "by a limit that is asked for [HTTP-13]",
      is: "bad-limit",
      provoke: async (rig) => [
        await outcome(rig, "/channels/a?limit=5"),
        await outcome(rig, "/channels/a?limit=6"),
      ],
    },
  ],
  historyBytes: [
    {
      limits: { historyBytes: 10 },
      how: "by what is kept: the rest is left to the next answer [HTTP-14]",
      is: '{"n":1,"more":true}',
      provoke: async (rig) => {
        const page = async (): Promise<string> => {
          const { body } = await ask(rig.port, "/channels/a?since=earliest");
          const { messages, more } = JSON.parse(body) as { messages: unknown[]; more: boolean };
          return JSON.stringify({ n: messages.length, more });
        };
        await post(rig, "/channels/a", "x".repeat(8));
        const whole = await page();
        await post(rig, "/channels/a", "x".repeat(8));
        return [whole === '{"n":1,"more":false}' ? "fine" : whole, await page()];
      },
    },
  ],
  waitSeconds: [
    {
      limits: { waitSeconds: 5 },
      how: "by a long poll in JSON [HTTP-16]",
      is: "bad-limit",
      provoke: async (rig) => [
        await post(rig, "/channels/a", "x").then(() => outcome(rig, "/channels/a?wait=5&since=earliest")),
        await outcome(rig, "/channels/a?wait=6"),
      ],
    },
  ],
  fragments: [
    {
      limits: { fragments: 3 },
      how: "by fragments of one message [WS-7]",
      is: 1008,
      provoke: async (rig) => [
        await say(rig, "/channels/a", ["a", "b", "c"]),
        await say(rig, "/channels/a", ["a", "b", "c", "d"]),
      ],
    },
  ],
  slowReader: [
    {
      limits: { slowReader: 1 },
      how: "by a reader that takes nothing [ATT-7]",
      is: 4504,
      provoke: async (rig) => {
        const socket = await openSocket(`${rig.url}/channels/a`);
        const closed = new Promise<number>((resolve) => socket.on("close", resolve));
        socket.pause();
        const data = "x".repeat(60_000);
        while (rig.server.counters().slow === undefined) {
          await rig.server.channel("a").publish(data);
          await new Promise((resolve) => setImmediate(resolve));
        }
        socket.resume();
        return ["fine", await closed];
      },
    },
  ],
};

const rows = Object.entries(BREACHES).flatMap(([name, breaches]) =>
  breaches.map((breach) => [name, breach.how, breach.is, breach] as const),
);

describe("the limit", () => {
  it.each(rows)("%s, broken %s, is %s", async (_name, _how, is, breach) => {
    expect(await breach.provoke(await start(breach.limits))).toEqual(["fine", is]);
  });

  it("is the documented one where nobody has changed it", async () => {
    const { body } = await ask((await start({})).port, "/connect", { method: "POST", body: HELLO });
    const { messageBytes, channelsPerConnection } = DEFAULT_LIMITS;
    expect(JSON.parse(body)).toMatchObject({ limits: { messageBytes, channelsPerConnection } });
  });
});
