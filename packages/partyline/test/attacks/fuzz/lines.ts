/** Lines of `/connect`. */
import type { Random } from "../../chaos/random.ts";
import { text } from "../frames.ts";
import { type Grammar, mutate, often } from "./case.ts";

const NAMES = ["a", "a/b", "latest/a", "nothing/a", "server/a", "cafe\u0301", "caf\u00e9", "🎉"];
const TEXTS = [
  "",
  " ",
  "x",
  "\u0000",
  "\u2028",
  "\ud800",
  "🎉",
  "__proto__",
  "constructor",
  "null",
  "e\u0301",
  "\ufeff",
];
const SINCE = [
  "now",
  "earliest",
  "last:1",
  "last:-1",
  "last:1e9",
  "",
  "x",
  "000000000000:0",
  "zzzzzzzzzzzz:9007199254740991",
  "a:b:c",
];

/** A number as it may stand in JSON. */
function number(random: Random): string {
  return random.pick([
    "0",
    "1",
    "-1",
    "0.5",
    "-0",
    "1e400",
    "-1e400",
    "1e-400",
    "9007199254740993",
    "12345678901234567890",
    "4294967296",
    "1E5",
    "01",
    "NaN",
    "0x1",
    "1.",
  ]);
}

function string(random: Random): string {
  const value = random.weighted([
    [50, random.pick(TEXTS)],
    [30, random.pick(NAMES)],
    [20, often(random, random.pick(["x", "é", "\n", "\\", '"']))],
  ]);
  return random.chance(97)
    ? JSON.stringify(value)
    : random.pick(['"\\ud800"', '"\\u12"', '"\\x"', '"', `"${value}"`]);
}

/** Any value, also none that JSON knows. */
function value(random: Random, depth = 0): string {
  return random.weighted([
    [25, () => string(random)],
    [20, () => number(random)],
    [10, () => random.pick(["true", "false", "null", "undefined", "", "{", "[", "//", "\t"])],
    [
      depth > 3 ? 0 : 15,
      () => `[${Array.from({ length: random.between(0, 4) }, () => value(random, depth + 1)).join(",")}]`,
    ],
    [
      depth > 3 ? 0 : 20,
      () =>
        `{${Array.from({ length: random.between(0, 4) }, () => `${string(random)}:${value(random, depth + 1)}`).join(",")}}`,
    ],
    [
      3,
      () => {
        const levels = random.pick([10, 500, 6_000, 20_000]);
        const [open, close] = random.pick([
          ["[", "]"],
          ['{"a":', "}"],
          ['["x",', "]"],
        ]) as [string, string];
        return open.repeat(levels) + (random.chance(80) ? `1${close.repeat(levels)}` : "");
      },
    ],
  ])();
}

type Field = readonly [name: string, value: (random: Random) => string];

const n: Field = ["n", (random) => String(random.between(0, 50))];
const channel: Field = ["channel", (random) => JSON.stringify(random.pick(NAMES))];
const id: Field = ["id", (random) => JSON.stringify(`i${random.between(0, 500)}`)];
const at: Field = [
  "at",
  (random) =>
    random.pick(["1", "0", "99999999999999", "-1", `${1_800_000_000_000 + random.between(0, 1_000)}`]),
];
const first: Field = ["first", (random) => random.pick(["true", "false"])];
const key: Field = [
  "key",
  (random) => JSON.stringify(random.pick(["", "k", "k".repeat(255), "k".repeat(256), "🎉"])),
];

const COMMANDS: readonly (readonly [type: string, fields: readonly Field[]])[] = [
  [
    "hello",
    [
      ["v", () => "1"],
      ["token", () => '"x"'],
      ["quiet", (random) => random.pick(["0", "3", "-1", "1e9"])],
    ],
  ],
  [
    "attach",
    [
      n,
      channel,
      ["since", (random) => JSON.stringify(random.pick(SINCE))],
      ["maxRate", (random) => random.pick(["1", "0", "1000", "1e9"])],
    ],
  ],
  ["detach", [n, channel]],
  [
    "publish",
    [
      n,
      channel,
      id,
      at,
      ["kind", (random) => random.pick(['"json"', '"text"', '"binary"', '"x"'])],
      key,
      ["data", value],
      first,
    ],
  ],
  ["publish", [n, channel, id, at, ["data", value]]],
  ["delete", [n, channel, id, at, key, first]],
  ["token", [n, ["token", string]]],
  ["ping", [n]],
  ["welcome", [n]],
];

const HELLO = '{"t":"hello","v":1}';

function line(random: Random): string {
  if (random.chance(8)) return value(random).replaceAll("\n", " ");
  const [type, fields] = random.pick(COMMANDS);
  const members = [`"t":${random.chance(96) ? JSON.stringify(type) : value(random)}`];
  for (const [name, make] of fields) {
    if (random.chance(8)) continue;
    const made = random.chance(90) ? make(random) : value(random);
    members.push(`${JSON.stringify(name)}:${made}`);
    if (random.chance(3)) members.push(`${JSON.stringify(name)}:${value(random)}`);
  }
  if (random.chance(10)) members.push(`${string(random)}:${value(random)}`);
  const space = random.chance(90) ? "" : random.pick([" ", "\t", "\r"]);
  return `{${members.join(`,${space}`)}}`.replaceAll("\n", " ");
}

const some = (random: Random, most: number): string[] =>
  Array.from({ length: random.between(1, most) }, () => line(random));

/** A body of `POST /connect`, or of any other `POST`. */
export function body(random: Random): string {
  const lines = some(random, 6);
  if (random.chance(85))
    lines.unshift(
      random.chance(80) ? HELLO : `{"t":"hello","v":1,"wait":${random.pick(["0", "0.001", "-1", "1e9"])}}`,
    );
  return lines.join(random.chance(95) ? "\n" : random.pick(["\r\n", "\n\n", "\r"]));
}

/** Payloads of frames: some lines each. */
export const payloads = (random: Random): string[] => {
  const all = Array.from({ length: random.between(1, 5) }, () => some(random, 4).join("\n"));
  return random.chance(90) ? [HELLO, ...all] : all;
};

/** Correct frames with lines of commands. */
export const lines: Grammar = (random) => ({
  kind: "lines",
  upgrade: { path: "/connect", extensions: "" },
  pieces: mutate(
    random,
    payloads(random).map((payload) => text(payload)),
  ),
});
