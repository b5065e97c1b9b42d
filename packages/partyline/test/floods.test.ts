/** Peers that send as fast as they can: what they cost is bounded, and nobody else waits for them. */
import { connect } from "node:net";
import { constants, deflateRawSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { createMemoryBroker } from "../src/brokers/memory/index.ts";
import type { Broker } from "../src/core/ports.ts";
import { createPartyline, type Partyline, type PartylineOptions } from "../src/server.ts";
import { createHandClock } from "./support/hand-clock.ts";
import { silent } from "./support/line-rig.ts";
import { until } from "./support/until.ts";
import { ask } from "./transport/ask.ts";
import {
  type BareWebSocket,
  clientFrame,
  OPCODE,
  openBareWebSocket,
  readFrames,
} from "./transport/bare-websocket.ts";

let server: Partyline | undefined;
let port = 0;

let clock = createHandClock();

/** A server whose time passes by hand; `perLook` ms pass with each look at its clock too. */
async function start(options: PartylineOptions, perLook = 0): Promise<Partyline> {
  clock = createHandClock(perLook);
  server = createPartyline({ logger: silent, clock, ...options });
  ({ port } = await server.listen(0));
  return server;
}

afterEach(async () => {
  let isClosed = false;
  void server?.close().then(() => (isClosed = true));
  // Peers that are held do not see the close: they are given their time.
  await until(() => {
    clock.advance(1_000);
    return isClosed;
  });
});

const HELLO = '{"t":"hello","v":1}';
const CLOSE = clientFrame(OPCODE.close, Buffer.of(0x03, 0xe8));

const pings = (count: number): string[] =>
  Array.from({ length: count }, (_, n) => JSON.stringify({ t: "ping", n: n + 1 }));

const publishes = (count: number): string[] =>
  Array.from({ length: count }, (_, n) =>
    JSON.stringify({ t: "publish", n: n + 1, channel: "a", id: `p${n}`, at: 0, data: n }),
  );

const text = (...lines: readonly string[]): Buffer => clientFrame(OPCODE.text, lines.join("\n"));

/** A text frame that inflates to this text. */
function deflated(content: string): Buffer {
  const packed = deflateRawSync(content, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
  const frame = clientFrame(OPCODE.text, packed);
  frame[0] = (frame[0] ?? 0) | 0x40;
  return frame;
}

/** What the server says on this connection, frame by frame, from now on. */
function listen({ socket }: BareWebSocket): { readonly said: { opcode: number; payload: Buffer }[] } {
  let bytes = Buffer.alloc(0);
  const heard = { said: [] as { opcode: number; payload: Buffer }[] };
  socket.on("data", (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    try {
      heard.said = readFrames(bytes);
    } catch {
      // The last frame is not whole yet.
    }
  });
  return heard;
}

/** The numbers of the commands that were answered by `pong`, in order. */
const ponged = ({ said }: ReturnType<typeof listen>): number[] =>
  said
    .filter(({ opcode }) => opcode === OPCODE.text)
    .flatMap(({ payload }) => payload.toString().split("\n"))
    .map((line) => JSON.parse(line) as { t: string; n: number })
    .flatMap(({ t, n }) => (t === "pong" ? [n] : []));

/** Another peer asks and is answered, twice: what the server had read before has been handled by then. */
async function others(): Promise<void> {
  for (let round = 0; round < 2; round++) await ask(port, "/connect/live");
}

describe("a peer that pipelines requests", () => {
  it.each([
    ["for a channel", "/channels/a"],
    ["for a path of nobody", "/nothing"],
  ])("%s lets others be answered between them [LIM-4]", async (_name, path) => {
    await start({}, 3);
    const COUNT = 200;
    const socket = connect(port, "127.0.0.1");
    let answers = 0;
    socket.on("data", (chunk: Buffer) => (answers += chunk.toString().split("HTTP/1.1 ").length - 1));
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(COUNT));
    await until(() => answers > 0);
    await others();
    expect(answers).toBeLessThan(COUNT);
    await until(() => answers === COUNT);
    socket.destroy();
  });
});

describe("a peer above the rate", () => {
  const limits = { commandBurst: 4, commandsPerSecond: 1 };

  it("of commands on /connect is read no further until it has paid, and each is answered in order [WS-20]", async () => {
    const own = await start({ limits });
    const peer = await openBareWebSocket(port, "/connect");
    const heard = listen(peer);
    peer.socket.write(Buffer.concat([text(HELLO), text(...pings(6)), text('{"t":"ping","n":7}')]));
    await until(() => ponged(heard).length === 4);
    await others();
    expect(ponged(heard)).toEqual([1, 2, 3, 4]);
    for (let paid = 5; paid <= 7; paid++) {
      clock.advance(1_000);
      await until(() => ponged(heard).length === paid);
    }
    expect(ponged(heard)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(own.counters().refused).toBeUndefined();
  });

  it.each([
    ["pings", OPCODE.ping],
    ["pongs", OPCODE.pong],
  ])("of %s is read no further [WS-21]", async (_what, opcode) => {
    const own = await start({ limits });
    const { socket } = await openBareWebSocket(port, "/channels/a");
    const frames = Array.from({ length: 5 }, () => clientFrame(opcode, ""));
    socket.write(Buffer.concat([...frames, clientFrame(OPCODE.text, "behind them")]));
    await others();
    expect(own.counters().published).toBeUndefined();
    clock.advance(2_000);
    await until(() => own.counters().published?.[""] === 1);
  });

  it("by what its frames inflate to is read no further [WS-21]", async () => {
    const own = await start({
      compression: true,
      limits: { commandBurst: 29, commandsPerSecond: 1 },
    });
    const { socket } = await openBareWebSocket(port, "/channels/a", "permessage-deflate");
    // 60 000 bytes of one letter cost as much as 15 commands.
    socket.write(Buffer.concat(Array.from({ length: 4 }, () => deflated("x".repeat(60_000)))));
    await until(() => own.counters().published?.[""] === 2);
    await others();
    expect(own.counters().published?.[""]).toBe(2);
    clock.advance(30_000);
    await until(() => own.counters().published?.[""] === 4);
  });

  it("by the fragments of its messages is read no further [WS-21]", async () => {
    const own = await start({ limits });
    const { socket } = await openBareWebSocket(port, "/channels/a");
    const empty = Array.from({ length: 100 }, () => clientFrame(OPCODE.more, "", false));
    const message = [clientFrame(OPCODE.text, "x", false), ...empty, clientFrame(OPCODE.more, "")];
    socket.write(Buffer.concat([...message, clientFrame(OPCODE.text, "behind it")]));
    await until(() => own.counters().published?.[""] === 1);
    await others();
    expect(own.counters().published?.[""]).toBe(1);
    clock.advance(10_000);
    await until(() => own.counters().published?.[""] === 2);
  });
});

describe("pings that come in one turn", () => {
  it.each(["/connect", "/channels/a"])(
    "on %s are answered each up to 32, and of more the newest [WS-22]",
    async (path) => {
      await start({});
      const peer = await openBareWebSocket(port, path);
      const frames = Array.from({ length: 100 }, (_, n) => clientFrame(OPCODE.ping, String(n)));
      peer.socket.write(Buffer.concat(frames));
      const heard = listen(peer);
      await until(() => heard.said.at(-1)?.payload.toString() === "99");
      const each = Array.from({ length: 32 }, (_, n) => String(n));
      expect(heard.said.map(({ payload }) => payload.toString())).toEqual([...each, "99"]);
      peer.socket.write(Buffer.concat([clientFrame(OPCODE.ping, "again"), CLOSE]));
      expect(
        readFrames(await peer.closed)
          .at(-2)
          ?.payload.toString(),
      ).toBe("again");
    },
  );
});

describe("a peer that sends much at once lets others go between its commands, which keep their order [LIM-4]:", () => {
  const COUNT = 100;
  const frames = publishes(COUNT);

  /** Stores each batch together with the turn of the event loop in which it came. */
  function watched(): { readonly broker: Broker; readonly turns: Map<number, number> } {
    const memory = createMemoryBroker();
    const turns = new Map<number, number>();
    let turn = 0;
    let watching = false;
    const next = (): void => {
      turn++;
      watching = turn < 10_000;
      if (watching) setImmediate(next);
    };
    return {
      turns,
      broker: {
        ...memory,
        append(spec, messages) {
          if (!watching) next();
          turns.set(turn, (turns.get(turn) ?? 0) + messages.length);
          return memory.append(spec, messages);
        },
      },
    };
  }

  const ways: [string, (send: typeof frames) => Promise<void>][] = [
    [
      "lines of one frame",
      async (lines) => {
        const peer = await openBareWebSocket(port, "/connect");
        peer.socket.write(Buffer.concat([text(HELLO), text(...lines)]));
      },
    ],
    [
      "frames of one chunk",
      async (lines) => {
        const peer = await openBareWebSocket(port, "/connect");
        peer.socket.write(Buffer.concat([HELLO, ...lines].map((line) => text(line))));
      },
    ],
    [
      "messages of a raw WebSocket",
      async (lines) => {
        const peer = await openBareWebSocket(port, "/channels/a");
        peer.socket.write(Buffer.concat(lines.map((line) => text(line))));
      },
    ],
    [
      "lines of a POST",
      async (lines) =>
        void (await ask(port, "/connect", { method: "POST", body: [HELLO, ...lines].join("\n") })),
    ],
  ];

  it.each(ways)("%s", async (_way, send) => {
    const { broker, turns } = watched();
    // A millisecond passes with each look at the clock: on no machine is a piece of work longer than a few commands.
    const own = await start({ broker }, 1);
    await send(frames);
    await until(() => own.counters().published?.[""] === COUNT);
    expect(Math.max(...turns.values())).toBeLessThanOrEqual(COUNT / 2);
    expect(turns.size).toBeGreaterThan(1);
    const { messages } = await own.channel("a").history({ since: "earliest" });
    const numbers = messages.map(({ data }) =>
      typeof data === "object" ? (data as { data: number }).data : data,
    );
    expect(numbers).toEqual(frames.map((_, n) => n));
  });
});
