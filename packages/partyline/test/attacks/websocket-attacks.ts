import { type Attack, flood, FRAME } from "./attack.ts";
import { deflated, frame, OPCODE, repeated, text } from "./frames.ts";
import type { Attacker, Line } from "./peer.ts";
import type { Bounds } from "./survive.ts";

const HELLO = '{"t":"hello","v":1}';

/** Bytes that are handed to the socket at once. */
const PIECE = 256 * 1024;

const lines = (make: (index: number) => string, count: number): string =>
  Array.from({ length: count }, (_, index) => make(index)).join("\n");

/**
 * Few bytes are many frames here. The server reads what a peer sent before it left at the rate of commands, so that the
 * connection lasts for some time.
 */
const LINGERS: Bounds = { lingering: 1 };

/** Opens a WebSocket of `/connect` that has said hello. */
async function talking(attacker: Attacker, extensions?: string): Promise<Line> {
  const line = await attacker.webSocket("/connect", extensions);
  await line.send(text(HELLO));
  await line.until('"welcome"');
  return line;
}

/** Floods a WebSocket of `/connect` after its hello. */
const afterHello =
  (bytes: Buffer | ((index: number) => Buffer)): Attack["run"] =>
  (attacker, goOn) =>
    flood(() => talking(attacker), bytes, goOn);

const compressed = (bytes: Buffer): Pick<Attack, "settings" | "run"> => ({
  settings: { compression: true },
  run: (attacker, goOn) => flood(() => talking(attacker, "permessage-deflate"), bytes, goOn),
});

/** Floods a channel's raw WebSocket. */
const onChannel =
  (bytes: Buffer): Attack["run"] =>
  (attacker, goOn) =>
    flood(() => attacker.webSocket("/channels/attacked"), bytes, goOn);

const PUBLISH = (index: number, data: string, more = ""): string =>
  `{"t":"publish","n":${index},"channel":"attacked","id":"i${index}","at":1${more},"data":${data}}`;

/** What the log of one channel keeps with the default retention, its ids, and the pages that were encoded of it. */
const STORED = { stored: 24 * 1024 * 1024 };

export const WEBSOCKET_ATTACKS: readonly Attack[] = [
  { name: "frames of 198 000 lines that are no commands", run: afterHello(text("x\n".repeat(FRAME / 2))) },
  { name: "frames of 397 000 blank lines", run: afterHello(text("\n".repeat(FRAME))) },
  {
    name: "frames of 1 000 `ping` commands",
    run: afterHello(text(lines((n) => `{"t":"ping","n":${n}}`, 1_000))),
  },
  {
    name: "`ping` commands, a frame each",
    run: afterHello(repeated(text('{"t":"ping","n":1}'), PIECE)),
  },
  {
    name: "compressed frames of 397 000 blank lines (412 bytes each)",
    ...compressed(deflated("\n".repeat(FRAME))),
  },
  {
    name: "compressed frames that become one line of 390 KB",
    ...compressed(deflated("x".repeat(FRAME))),
  },
  {
    name: "compressed frames of random bytes",
    ...compressed(
      deflated(Buffer.from(Array.from({ length: 49_152 }, (_, n) => 32 + ((n * n * 31 + n) % 90)))),
    ),
  },
  {
    name: "compressed frames that become more than a frame may hold",
    ...compressed(deflated(Buffer.alloc(64 * 1024 * 1024))),
  },
  {
    name: "pings of WebSocket",
    run: afterHello(repeated(frame({ opcode: OPCODE.ping, payload: "" }), PIECE)),
  },
  {
    name: "pings of WebSocket with 125 bytes",
    run: afterHello(repeated(frame({ opcode: OPCODE.ping, payload: "x".repeat(125) }), PIECE)),
  },
  {
    name: "pings of WebSocket whose answers are not read",
    run: (attacker, goOn) =>
      flood(
        async () => {
          const line = await talking(attacker);
          line.socket.pause();
          return line;
        },
        repeated(frame({ opcode: OPCODE.ping, payload: "x".repeat(125) }), PIECE),
        goOn,
      ),
  },
  {
    name: "pongs of WebSocket",
    bounds: LINGERS,
    run: afterHello(repeated(frame({ opcode: OPCODE.pong, payload: "" }), PIECE)),
  },
  { name: "empty text frames", bounds: LINGERS, run: afterHello(repeated(text(""), PIECE)) },
  {
    name: "messages of 16 384 fragments of one byte",
    run: afterHello(
      Buffer.concat([
        text("x", false),
        repeated(frame({ opcode: OPCODE.more, payload: "x", fin: false }), 7 * 16_382),
        frame({ opcode: OPCODE.more, payload: "x" }),
      ]),
    ),
  },
  {
    name: "fragments without a byte",
    run: afterHello(
      Buffer.concat([
        text("x", false),
        repeated(frame({ opcode: OPCODE.more, payload: "", fin: false }), PIECE),
      ]),
    ),
  },
  {
    name: "lines of nested arrays, as deep as a frame allows",
    run: afterHello(text(PUBLISH(1, `${"[".repeat(32_000)}${"]".repeat(32_000)}`))),
  },
  {
    name: "objects of 30 000 keys that are no command",
    run: afterHello(text(`{${Array.from({ length: 30_000 }, (_, n) => `"k${n}":1`).join(",")}}`)),
  },
  {
    name: "`publish` commands with ids and keys, 1 000 a frame",
    bounds: STORED,
    run: afterHello((index) =>
      text(lines((n) => PUBLISH(index * 1_000 + n, "1", `,"key":"${"k".repeat(200)}"`), 1_000)),
    ),
  },
  {
    name: "`publish` commands of 64 KB",
    bounds: STORED,
    run: afterHello((index) => text(PUBLISH(index, `"${"x".repeat(65_000)}"`))),
  },
  {
    name: "`attach` commands for names that nobody uses",
    run: afterHello((index) =>
      text(lines((n) => `{"t":"attach","n":${n},"channel":"r/${index}/${n}/${"x".repeat(200)}"}`, 1_000)),
    ),
  },
  {
    name: "`attach` and `detach` commands by turns, for names that nobody uses",
    run: afterHello((index) =>
      text(
        lines((n) => {
          const channel = `r/${index}/${n}/${"x".repeat(200)}`;
          return `{"t":"attach","n":${n},"channel":"${channel}"}\n{"t":"detach","n":${n},"channel":"${channel}"}`;
        }, 500),
      ),
    ),
  },
  {
    name: "messages of one byte on a channel's WebSocket, read by their sender",
    bounds: STORED,
    run: onChannel(repeated(text("x"), PIECE)),
  },
  {
    name: "messages of 64 KB on a channel's WebSocket, read by their sender",
    bounds: STORED,
    run: onChannel(text("x".repeat(65_536))),
  },
  {
    name: "frames of 390 KB before `hello`",
    run: (attacker, goOn) => flood(() => attacker.webSocket("/connect"), text("x".repeat(FRAME)), goOn),
  },
  {
    name: "WebSockets that are opened and left",
    run: (attacker, goOn) =>
      flood(() => attacker.webSocket("/connect"), frame({ opcode: OPCODE.close, payload: "" }), goOn),
  },
];
