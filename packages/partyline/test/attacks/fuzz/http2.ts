/** Frames of HTTP/2. */
import type { Random } from "../../chaos/random.ts";
import { headerBlock, http2Frame, PREFACE, TYPE } from "../http2-attacks.ts";
import { type Grammar, mutate, randomBytes } from "./case.ts";
import { body } from "./lines.ts";

const TYPES = Object.values(TYPE);
const PATHS = [
  "/connect",
  "/channels/a",
  "/channels/latest/a?key=k",
  "/events?channel=a",
  "/nothing",
  "*",
  "",
  "/channels/%zz",
  "//",
];

/** A header field without compression (RFC 7541, 6.2.2). */
function field(name: string, value: string): Buffer {
  const text = (bytes: Buffer): Buffer =>
    Buffer.concat([Buffer.of(bytes.length & 0x7f), bytes.subarray(0, 126)]);
  return Buffer.concat([Buffer.of(0), text(Buffer.from(name, "latin1")), text(Buffer.from(value, "latin1"))]);
}

const MORE: readonly (readonly [string, string])[] = [
  ["accept", "text/event-stream"],
  ["content-length", "5"],
  ["content-length", "-1"],
  ["content-type", "application/json"],
  ["host", "evil.example"],
  ["connection", "close"],
  ["transfer-encoding", "chunked"],
  ["upgrade", "websocket"],
  [":path", "/second"],
  [":status", "200"],
  [":protocol", "websocket"],
  ["te", "trailers"],
  ["expect", "100-continue"],
  ["X-Upper", "x"],
  ["cookie", "a=b"],
  ["origin", "null"],
  ["", ""],
  ["x\0", "y\n"],
];

function block(random: Random): Buffer {
  if (random.chance(6)) return randomBytes(random, random.between(0, 60));
  const more = Array.from({ length: random.between(0, 3) }, () => field(...random.pick(MORE)));
  return Buffer.concat([headerBlock(random.pick(["GET", "POST"]), random.pick(PATHS)), ...more]);
}

function one(random: Random, stream: number): Buffer {
  const any = random.chance(92) ? stream : random.pick([0, 1, 2, 2 ** 31 - 1, 2 ** 31]);
  return random.weighted([
    [40, () => http2Frame(TYPE.headers, random.pick([4, 5, 5, 0, 1, 0x2d]), any, block(random))],
    [
      30,
      () =>
        http2Frame(
          TYPE.data,
          random.pick([0, 1, 1, 8, 9]),
          any,
          random.chance(80) ? body(random).slice(0, 16_000) : "",
        ),
    ],
    [10, () => http2Frame(TYPE.reset, 0, any, Buffer.of(0, 0, 0, random.between(0, 14)))],
    [5, () => http2Frame(TYPE.windowUpdate, 0, random.pick([0, any]), randomBytes(random, 4))],
    [
      5,
      () => http2Frame(TYPE.settings, random.pick([0, 1]), 0, randomBytes(random, 6 * random.between(0, 3))),
    ],
    [
      10,
      () =>
        http2Frame(
          random.pick([...TYPES, 5, 200]),
          random.between(0, 255),
          any,
          randomBytes(random, random.between(0, 40)),
        ),
    ],
  ])();
}

/** A connection of HTTP/2 with some streams. */
export const http2: Grammar = (random) => {
  const pieces = [random.chance(98) ? PREFACE : randomBytes(random, 30)];
  let stream = 1;
  for (let count = random.between(1, 10); count > 0; count--) {
    pieces.push(one(random, stream));
    if (random.chance(40)) stream += 2;
  }
  return { kind: "http2", pieces: mutate(random, pieces) };
};
