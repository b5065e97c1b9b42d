/** What stands in which order on a WebSocket's TCP connection, byte for byte. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createMemoryBroker } from "../src/brokers/memory/index.ts";
import type { Broker } from "../src/core/ports.ts";
import { createPartyline, type Partyline } from "../src/server.ts";
import { silent } from "./support/line-rig.ts";
import { until } from "./support/until.ts";
import {
  type BareWebSocket,
  clientFrame,
  OPCODE,
  openBareWebSocket,
  readFrames,
} from "./transport/bare-websocket.ts";

let server: Partyline;
let port: number;

beforeEach(async () => {
  server = createPartyline({ logger: silent, retention: { bytes: 64 * 1024 * 1024 } });
  ({ port } = await server.listen(0));
});

afterEach(() => server.close());

const CLOSE = clientFrame(OPCODE.close, Buffer.of(0x03, 0xe8));
const hello = '{"t":"hello","v":1}\n{"t":"attach","n":1,"channel":"a"}';
const publish = (n: number): string =>
  `{"t":"publish","n":${n},"channel":"a","id":"p${n}","at":1,"data":${n}}`;

/** The types of the frames in text frames, one behind the other. */
function typesIn(payload: Buffer): string[] {
  return payload
    .toString()
    .split("\n")
    .map((line) => (JSON.parse(line) as { t: string }).t);
}

/** Messages for the channel, turn by turn, until the server is closed. */
async function publishAlways(): Promise<void> {
  for (;;) {
    await server.channel("a").publish("x".repeat(1_000));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe("a client that sends and closes in one TCP segment", () => {
  it("is sent the echo of each of its messages before its close is answered, on a raw channel [WS-6]", async () => {
    const { socket, closed } = await openBareWebSocket(port, "/channels/a");
    const sent = Array.from({ length: 50 }, (_, n) => `message ${n}`);
    socket.write(Buffer.concat([...sent.map((text) => clientFrame(OPCODE.text, text)), CLOSE]));
    const frames = readFrames(await closed);
    expect(frames.map(({ opcode }) => opcode)).toEqual([...sent.map(() => OPCODE.text), OPCODE.close]);
    expect(frames.slice(0, -1).map(({ payload }) => payload.toString())).toEqual(sent);
  });

  it("is sent its answers and messages before its close is answered, on /connect [WS-6, ATT-2]", async () => {
    const { socket, closed } = await openBareWebSocket(port, "/connect");
    socket.write(
      Buffer.concat([
        clientFrame(OPCODE.text, hello),
        clientFrame(OPCODE.text, `${publish(2)}\n${publish(3)}`),
        clientFrame(OPCODE.text, publish(4)),
        CLOSE,
      ]),
    );
    const frames = readFrames(await closed);
    expect(frames.at(-1)?.opcode).toBe(OPCODE.close);
    const types = frames.slice(0, -1).flatMap(({ payload }) => typesIn(payload));
    expect(types.slice(0, 2)).toEqual(["welcome", "attached"]);
    expect(types.filter((type) => type === "result")).toHaveLength(3);
    expect(types.filter((type) => type === "m")).toHaveLength(3);
  });
});

describe("behind a close frame", () => {
  it.each([
    ["a raw channel", "/channels/a", []],
    ["/connect", "/connect", [clientFrame(OPCODE.text, hello)]],
  ])("nothing comes on %s while messages come for it, whoever closes [WS-6]", async (_name, path, first) => {
    const both = await Promise.all(["client", "server"].map(() => openBareWebSocket(port, path)));
    for (const { socket } of both) for (const frame of first) socket.write(frame);
    await until(() => server.counters().attached?.[""] === 2);
    const publisher = publishAlways().catch((error: unknown) => error);
    both[0]?.socket.write(CLOSE);
    const byClient = readFrames((await both[0]?.closed) ?? Buffer.alloc(0));
    await server.close();
    expect(await publisher).toMatchObject({ code: "uncertain" });
    const byServer = readFrames((await both[1]?.closed) ?? Buffer.alloc(0));
    for (const frames of [byClient, byServer]) {
      expect(frames.filter(({ opcode }) => opcode === OPCODE.close)).toHaveLength(1);
      expect(frames.at(-1)?.opcode).toBe(OPCODE.close);
    }
    expect(byServer.length).toBeGreaterThan(1);
  });
});

describe("a peer that is read no further", () => {
  /** Answers the server's close, and waits for the end; the server gives it some seconds for that, which never pass here. */
  async function answerClose({ socket, closed }: BareWebSocket, code: number): Promise<number[]> {
    socket.on("data", (data: Buffer) => {
      if (data.includes(Buffer.of(code >> 8, code & 255)))
        socket.write(clientFrame(OPCODE.close, Buffer.of(code >> 8, code & 255)));
    });
    const last = readFrames(await closed).at(-1);
    return [last?.opcode ?? -1, last?.payload.readUInt16BE(0) ?? -1];
  }

  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout"] }));
  afterEach(() => void vi.useRealTimers());

  it("because its publish is being stored is heard when it answers the close that follows [WS-4, WS-5]", async () => {
    const broker: Broker = { ...createMemoryBroker(), append: () => Promise.reject(new Error("no answer")) };
    await using refusing = createPartyline({ logger: silent, broker });
    const peer = await openBareWebSocket((await refusing.listen(0)).port, "/channels/a");
    peer.socket.write(clientFrame(OPCODE.text, "x"));
    expect(await answerClose(peer, 4503)).toEqual([OPCODE.close, 4503]);
  });

  it("because it sent too much is heard when it answers the close for a gap [WS-3, WS-5]", async () => {
    const broker = createMemoryBroker();
    const limits = { commandBurst: 1, commandsPerSecond: 0.001 };
    await using strict = createPartyline({ logger: silent, broker, limits });
    const peer = await openBareWebSocket((await strict.listen(0)).port, "/channels/a");
    peer.socket.write(Buffer.concat(["1", "2"].map((text) => clientFrame(OPCODE.text, text))));
    await until(() => strict.counters().published?.[""] === 2);
    const ended = answerClose(peer, 4410);
    broker.forget("a");
    await strict.channel("a").publish("of a new life");
    expect(await ended).toEqual([OPCODE.close, 4410]);
  });
});

describe("one writer", () => {
  it("puts pongs between whole frames, and keeps messages and answers in order, into a full socket too", async () => {
    const { socket, closed } = await openBareWebSocket(port, "/connect");
    socket.write(clientFrame(OPCODE.text, hello));
    await until(() => server.counters().attached?.[""] === 1);
    socket.pause();
    const data = "x".repeat(60_000);
    for (let n = 0; n < 150; n++) {
      await server.channel("a").publish({ n, data });
      socket.write(clientFrame(OPCODE.ping, String(n)));
      socket.write(clientFrame(OPCODE.text, `{"t":"ping","n":${n + 2}}`));
      await new Promise((resolve) => setImmediate(resolve));
    }
    socket.resume();
    socket.write(CLOSE);
    const frames = readFrames(await closed);
    const ofKind = (opcode: number): string[] =>
      frames.filter((frame) => frame.opcode === opcode).map(({ payload }) => payload.toString());
    const numbers = ofKind(OPCODE.pong).map(Number);
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(numbers).toContain(0);
    expect(frames.at(-1)?.opcode).toBe(OPCODE.close);
    const lines = ofKind(OPCODE.text)
      .flatMap((text) => text.split("\n"))
      .map((line) => JSON.parse(line) as { t: string; n?: number; offset?: number });
    const offsets = lines.filter(({ t }) => t === "m").map(({ offset }) => offset);
    expect(offsets.length).toBeGreaterThan(10);
    expect(offsets).toEqual(offsets.map((_, index) => index + 1));
    const pongs = lines.filter(({ t }) => t === "pong").map(({ n }) => n);
    expect(pongs).toEqual(Array.from({ length: 150 }, (_, n) => n + 2));
  });
});
