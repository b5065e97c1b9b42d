/** Frames of WebSocket, correct and not. */
import { deflateRawSync } from "node:zlib";
import type { Random } from "../../chaos/random.ts";
import { frame, OPCODE } from "../frames.ts";
import { type Grammar, mutate, randomBytes } from "./case.ts";
import { payloads } from "./lines.ts";

const OPCODES = Object.values(OPCODE);
const CLAIMS = [
  0n,
  1n,
  125n,
  126n,
  65_535n,
  65_536n,
  400_000n,
  2n ** 31n,
  2n ** 32n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
];

function payload(random: Random): Buffer {
  return random.weighted([
    [45, () => Buffer.from(random.pick(payloads(random)))],
    [20, () => randomBytes(random, random.between(0, 200))],
    [10, () => Buffer.alloc(0)],
    [10, () => Buffer.concat([randomBytes(random, 2), Buffer.from("bye")])],
    [5, () => Buffer.of(random.between(0, 255))],
    [10, () => Buffer.from("\n".repeat(random.pick([1, 100, 10_000])))],
  ])();
}

function compressed(random: Random, data: Buffer): Buffer {
  const whole = deflateRawSync(data, { finishFlush: random.pick([2, 2, 2, 3, 4]) });
  const cut = random.chance(80) ? whole.subarray(0, -4) : whole;
  return random.chance(92) ? cut : Buffer.concat([cut, randomBytes(random, 4)]);
}

function one(random: Random, deflates: boolean): Buffer {
  const opcode = random.chance(90) ? random.pick(OPCODES) : random.between(0, 15);
  const data = payload(random);
  const deflated = deflates && opcode < 3 && random.chance(50);
  const bytes = deflated ? compressed(random, data) : data;
  return frame({
    opcode,
    payload: opcode >= 8 && random.chance(90) ? bytes.subarray(0, 125) : bytes,
    fin: random.chance(80),
    reserved: deflated ? 4 : random.chance(96) ? 0 : random.between(0, 7),
    masked: random.chance(97),
    ...(random.chance(95) ? {} : { claimed: random.pick(CLAIMS) }),
    ...(random.chance(96) ? {} : { lengthBytes: random.pick([0, 2, 8] as const) }),
  });
}

/** Frames on `/connect` or on a channel, after a hello or not, with compression or not. */
export const frames: Grammar = (random) => {
  const deflates = random.chance(40);
  const path = random.pick([
    "/connect",
    "/connect",
    "/channels/a",
    "/channels/latest/a",
    "/channels/nothing/a",
  ]);
  const greeting =
    path === "/connect" && random.chance(75)
      ? [frame({ opcode: OPCODE.text, payload: '{"t":"hello","v":1}' })]
      : [];
  const pieces = [...greeting, ...Array.from({ length: random.between(1, 8) }, () => one(random, deflates))];
  return {
    kind: "frames",
    upgrade: {
      path,
      extensions: deflates
        ? random.pick([
            "permessage-deflate",
            "permessage-deflate; client_max_window_bits",
            "permessage-deflate; server_max_window_bits=10",
          ])
        : "",
    },
    pieces: mutate(random, pieces),
  };
};
