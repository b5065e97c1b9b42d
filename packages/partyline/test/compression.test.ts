/** `permessage-deflate`: what is compressed, for whom, and what is not. */
import { deflateRawSync, inflateRawSync, constants } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { createPartyline, type Partyline, type PartylineOptions } from "../src/server.ts";
import { silent } from "./support/line-rig.ts";
import { type BareWebSocket, clientFrame, openBareWebSocket } from "./transport/bare-websocket.ts";
import { Inbox } from "./transport/probe.ts";

const OFFER = "permessage-deflate; client_max_window_bits";
const LARGE = "goal! ".repeat(500);
const RSV1 = 0x40;

let server: Partyline;
let port: number;

async function start(options: PartylineOptions = { compression: true }): Promise<void> {
  server = createPartyline({ logger: silent, ...options });
  ({ port } = await server.listen(0));
}

beforeEach(() => start());
afterEach(() => server.close());

async function restart(options: PartylineOptions): Promise<void> {
  await server.close();
  await start(options);
}

/** A frame as the server sent it, RSV1 and all. */
interface SentFrame {
  readonly compressed: boolean;
  readonly opcode: number;
  readonly payload: Buffer;
}

function frames(bytes: Buffer): SentFrame[] {
  const found: SentFrame[] = [];
  for (let at = 0; at < bytes.length;) {
    const first = bytes.readUInt8(at);
    let length = bytes.readUInt8(at + 1);
    at += 2;
    if (length === 126) length = bytes.readUInt16BE((at += 2) - 2);
    found.push({
      compressed: (first & RSV1) !== 0,
      opcode: first & 15,
      payload: bytes.subarray(at, (at += length)),
    });
  }
  return found;
}

const inflate = (payload: Buffer): string =>
  inflateRawSync(Buffer.concat([payload, Buffer.of(0, 0, 0xff, 0xff)]), {
    finishFlush: constants.Z_SYNC_FLUSH,
  }).toString();
const textOf = ({ compressed, payload }: SentFrame): string =>
  compressed ? inflate(payload) : payload.toString();

/** Frames of data that a client had when it closed. */
async function dataFrames({ socket, closed }: BareWebSocket): Promise<SentFrame[]> {
  socket.write(clientFrame(8, Buffer.of(0x03, 0xe8)));
  return frames(await closed).filter(({ opcode }) => opcode !== 8);
}

/** A client's compressed frame. */
function compressedFrame(text: string): Buffer {
  const packed = deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
  const frame = clientFrame(1, packed);
  frame[0] = (frame[0] ?? 0) | RSV1;
  return frame;
}

describe("a server that compresses", () => {
  it("sends everybody who takes it the same compressed bytes", async () => {
    const readers = [
      await openBareWebSocket(port, "/channels/a", OFFER),
      await openBareWebSocket(port, "/channels/a", OFFER),
    ];
    for (const { head } of readers)
      expect(head).toContain("permessage-deflate; server_no_context_takeover; client_no_context_takeover");
    await server.channel("a").publish(LARGE, { kind: "text" });
    await server.channel("a").publish(`${LARGE}again`, { kind: "text" });
    const [one, other] = await Promise.all(readers.map(dataFrames));
    expect(one?.map(({ compressed }) => compressed)).toEqual([true, true]);
    expect(one?.map(textOf)).toEqual([LARGE, `${LARGE}again`]);
    expect(one?.[0]?.payload.length).toBeLessThan(LARGE.length / 10);
    expect(other).toEqual(one);
  });

  it("leaves small messages, and what does not get smaller, as they are", async () => {
    const reader = await openBareWebSocket(port, "/channels/a", OFFER);
    const noise = Buffer.from(Array.from({ length: 4096 }, (_, n) => (n * n * 2_654_435_761) >>> 24));
    const incompressible = deflateRawSync(noise);
    await server.channel("a").publish("small", { kind: "text" });
    await server.channel("a").publish(incompressible);
    const got = await dataFrames(reader);
    expect(got.map(({ compressed, opcode }) => ({ compressed, opcode }))).toEqual([
      { compressed: false, opcode: 1 },
      { compressed: false, opcode: 2 },
    ]);
    expect(got[1]?.payload).toEqual(incompressible);
  });

  it("compresses from the threshold on that it was given", async () => {
    await restart({ compression: { threshold: 20 } });
    const reader = await openBareWebSocket(port, "/channels/a", OFFER);
    await server.channel("a").publish("a".repeat(19), { kind: "text" });
    await server.channel("a").publish("a".repeat(20), { kind: "text" });
    expect((await dataFrames(reader)).map(({ compressed }) => compressed)).toEqual([false, true]);
    expect(() => createPartyline({ compression: { threshold: -1 } })).toThrow(TypeError);
  });

  it("sends plain frames to who offers nothing, and to who was promised a small window [WS-13]", async () => {
    const plain = await openBareWebSocket(port, "/channels/a");
    const small = await openBareWebSocket(
      port,
      "/channels/a",
      "permessage-deflate; server_max_window_bits=9",
    );
    expect(plain.head).not.toContain("permessage-deflate");
    expect(small.head).toContain("server_max_window_bits=9");
    await server.channel("a").publish(LARGE, { kind: "text" });
    for (const reader of [plain, small]) {
      const [frame] = await dataFrames(reader);
      expect(frame).toMatchObject({ compressed: false, payload: Buffer.from(LARGE) });
    }
  });

  it("never compresses replies, nor two channels in one frame, on /connect [WS-12]", async () => {
    await restart({ compression: { threshold: 0 } });
    const { socket, closed } = await openBareWebSocket(port, "/connect", OFFER);
    const attaches = ["a", "b"].map((channel, n) => `{"t":"attach","n":${n + 1},"channel":"${channel}"}`);
    socket.write(clientFrame(1, ['{"t":"hello","v":1}', ...attaches].join("\n")));
    // Its answer comes behind those of the attaches.
    const asked = new Promise<void>((resolve) => {
      let text = "";
      socket.on("data", (piece: Buffer) => {
        text += piece.toString("latin1");
        if (text.includes('"pong"')) resolve();
      });
    });
    socket.write(clientFrame(1, '{"t":"ping","n":3}'));
    await asked;
    await Promise.all([server.channel("a").publish({ LARGE }), server.channel("b").publish({ LARGE })]);
    socket.write(clientFrame(8, Buffer.of(0x03, 0xe8)));
    const data = frames(await closed).filter(({ opcode }) => opcode === 1);
    const lines = data.map((frame) => ({
      compressed: frame.compressed,
      types: textOf(frame)
        .split("\n")
        .map((line) => {
          const { t, c } = JSON.parse(line) as { t: string; c?: number };
          return t === "m" ? `m${c}` : t;
        }),
    }));
    expect(lines.filter(({ compressed }) => compressed).map(({ types }) => types)).toEqual([["m1"], ["m2"]]);
    expect(lines.filter(({ compressed }) => !compressed).flatMap(({ types }) => types)).toEqual([
      "welcome",
      "attached",
      "attached",
      "pong",
    ]);
  });

  it("takes compressed frames, in their order among others, before the close behind them", async () => {
    const { socket, closed } = await openBareWebSocket(port, "/channels/a", OFFER);
    socket.write(
      Buffer.concat([
        compressedFrame(LARGE),
        clientFrame(1, "plain"),
        compressedFrame("packed"),
        clientFrame(8, Buffer.of(0x03, 0xe8)),
      ]),
    );
    const echo = frames(await closed);
    expect(echo.map(({ opcode }) => opcode)).toEqual([1, 1, 1, 8]);
    expect(echo.slice(0, 3).map(textOf)).toEqual([LARGE, "plain", "packed"]);
  });

  it("ends who sends a small frame that becomes too large [WS-14]", async () => {
    const { socket, closed } = await openBareWebSocket(port, "/channels/a", OFFER);
    const bomb = compressedFrame("0".repeat(20 * 1024 * 1024));
    expect(bomb.length).toBeLessThan(32 * 1024);
    socket.write(bomb);
    const last = frames(await closed).at(-1);
    expect(last?.opcode).toBe(8);
    expect(last?.payload.readUInt16BE(0)).toBe(1009);
  });

  it("is understood by a client that negotiates by itself, with pings between", async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/channels/a`, { perMessageDeflate: true });
    const heard = new Inbox<string>();
    socket.on("message", (data: Buffer) => heard.push(data.toString()));
    await new Promise((resolve) => socket.on("open", resolve));
    expect(socket.extensions).toBe("permessage-deflate");
    for (let n = 0; n < 20; n++) {
      socket.send(`${n} ${LARGE}`);
      socket.ping();
    }
    for (let n = 0; n < 20; n++) expect(await heard.next()).toBe(`${n} ${LARGE}`);
    socket.terminate();
  });
});

it("agrees on no compression unless it is switched on", async () => {
  await restart({});
  const { head, socket } = await openBareWebSocket(port, "/channels/a", OFFER);
  expect(head).not.toContain("permessage-deflate");
  socket.destroy();
});
