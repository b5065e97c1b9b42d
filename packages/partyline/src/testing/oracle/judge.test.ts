import { describe, expect, it } from "vitest";
import type { ChannelRecord, Evidence, PublishFate, PublishRecord, SeenMessage, Told } from "./evidence.ts";
import { judge } from "./judge.ts";

const at = (offset: number, epoch = "a"): string => `${epoch}:${offset}`;
const began = (offset = 0, epoch = "a"): Told => ({ is: "began", position: at(offset, epoch) });
const seen = (offset: number, more: Partial<SeenMessage> = {}): SeenMessage => ({
  position: at(offset),
  id: `p-${offset}`,
  kind: "json",
  data: `${offset}`,
  ...more,
});
const m = (offset: number, more: Partial<SeenMessage> = {}): Told => ({
  is: "message",
  ...seen(offset, more),
});
const gap = (from: number, to: number, more: Partial<Extract<Told, { is: "gap" }>> = {}): Told => ({
  is: "gap",
  from: at(from),
  to: at(to),
  reason: "retention",
  ...more,
});
const skip = (from: number, to: number): Told => ({ is: "skip", from: at(from), to: at(to) });
const stored = (offset: number, epoch = "a"): PublishFate => ({
  is: "stored",
  position: at(offset, epoch),
  duplicate: false,
});
const publish = (
  n: number,
  fate: PublishFate = stored(n),
  more: Partial<PublishRecord> = {},
): PublishRecord => ({
  publisher: "p",
  channel: "c",
  id: `p-${n}`,
  kind: "json",
  data: `${n}`,
  fate,
  ...more,
});

/** Five publishes that are stored at 1 to 5 and kept from `oldest` on, and readers who were told this. */
function evidence(
  told: readonly (readonly Told[])[],
  channel: Partial<ChannelRecord> = {},
  publishes: readonly PublishRecord[] = [1, 2, 3, 4, 5].map((n) => publish(n)),
): Evidence {
  return {
    channels: [{ channel: "c", keep: "history", lives: 1, head: at(5), ...channel }],
    publishes,
    readers: told.map((items, index) => ({
      reader: `r${index + 1}`,
      channel: "c",
      told: items,
      present: true,
    })),
  };
}

const kinds = (all: Evidence): string[] => judge(all).map(({ is }) => is);
const whole = [began(), m(1), m(2), m(3), m(4), m(5)];

describe("the oracle, of a reader", () => {
  it("finds nothing where every message came once and in order", () => {
    expect(judge(evidence([whole, [began(3), m(4), m(5)], [began(5)]]))).toEqual([]);
  });

  it("finds nothing where a gap covers exactly what is missing", () => {
    const all = evidence([[began(), m(1), gap(1, 3, { lost: 2 }), m(4), m(5)]], { count: 2 });
    expect(judge(all)).toEqual([]);
  });

  it("names what was lost in silence", () => {
    expect(judge(evidence([[began(), m(1), m(4), m(5)]]))).toEqual([
      {
        is: "lost",
        channel: "c",
        of: "r1",
        message: 'Reader r1 of "c" was not given a:2 to 3, and not told.',
      },
    ]);
  });

  it.for([
    ["a message given twice", [began(), m(1), m(1), m(2), m(3), m(4), m(5)], ["doubled"]],
    ["a message after a later one", [began(), m(2), m(1), m(3), m(4), m(5)], ["lost", "reordered"]],
    ["a gap that leaves out a message", [began(), m(1), gap(2, 3), m(4), m(5)], ["lost"]],
    ["a gap over what was given", [began(), m(1), m(2), gap(1, 3), m(4), m(5)], ["false-gap"]],
    ["a gap that ends too early", [began(), gap(0, 2), m(4), m(5)], ["lost"]],
    ["a gap over what is kept", [began(), gap(0, 4), m(5)], ["false-gap"]],
    ["a gap over nothing", [began(), gap(0, 0), ...whole.slice(1)], ["false-gap"]],
    ["a gap that counts wrong", [began(), gap(0, 3, { lost: 2 }), m(4), m(5)], ["false-gap"]],
    ["a gap of epoch in one life", [began(), gap(0, 3, { reason: "epoch" }), m(4), m(5)], ["false-gap"]],
    [
      "a gap for what a history does not keep",
      [began(), gap(0, 3, { reason: "not-kept" }), m(4), m(5)],
      ["false-gap"],
    ],
    ["a skip in a history", [began(), skip(0, 3), m(4), m(5)], ["false-skip"]],
    ["a reader that stopped too early", [began(), m(1), m(2), m(3), m(4)], ["behind"]],
  ] as const)("finds %s", ([, told, found]) => {
    expect(kinds(evidence([told], { count: 2 }))).toEqual(found);
  });

  it("takes skips for what was asked to be left out, but never of the newest", () => {
    const less = (told: readonly Told[]): string[] => {
      const { readers, ...rest } = evidence([told], { kept: [1, 2, 3, 4, 5].map((n) => seen(n)) });
      return kinds({ ...rest, readers: readers.map((reader) => ({ ...reader, maxRate: 1 })) });
    };
    expect(less([began(), skip(0, 2), m(3), skip(3, 4), m(5)])).toEqual([]);
    expect(less([began(), m(1), skip(2, 4), m(5)])).toEqual(["lost"]);
    expect(less([began(), m(1), skip(1, 5)])).toEqual(["lost"]);
  });

  it("wants a gap where the log has begun a new life, and none that goes back", () => {
    const lives = { lives: 2, head: at(1, "b") };
    const publishes = [publish(1), publish(2, stored(1, "b"))];
    const second = m(2, { position: at(1, "b") });
    const newLife = gap(1, 0, { to: at(0, "b"), reason: "epoch" });
    expect(kinds(evidence([[began(), m(1), newLife, second]], lives, publishes))).toEqual([]);
    expect(kinds(evidence([[began(), m(1), second]], lives, publishes))).toEqual(["lost"]);
    const back = gap(0, 0, { from: at(1, "b"), to: at(0, "a"), reason: "epoch" });
    expect(kinds(evidence([[began(0, "b"), second, back, m(1)]], lives, publishes))).toContain("false-gap");
  });

  it("does not want a reader that has left at the head", () => {
    const { readers, ...rest } = evidence([[began(), m(1)]]);
    expect(judge({ ...rest, readers: readers.map((reader) => ({ ...reader, present: false })) })).toEqual([]);
  });
});

describe("the oracle, of the log", () => {
  it("finds two who were given different messages of one position", () => {
    const other = [began(2), m(3, { id: "p-4", data: "4" }), m(4), m(5)];
    expect(kinds(evidence([whole, other]))).toContain("disagreement");
  });

  it("finds a publish that has two places in one life, and allows it one in each", () => {
    const again = [began(5), m(6, { id: "p-1", data: "1" })];
    expect(kinds(evidence([again], { head: at(6) }))).toEqual(["doubled"]);
    const inNextLife = [began(0, "b"), m(1, { position: at(1, "b") })];
    expect(kinds(evidence([inNextLife], { head: at(1, "b"), lives: 2 }))).toEqual([]);
  });

  it.for([
    ["nobody published", m(6, { id: "x" })],
    ["has other bytes than were published", m(6, { id: "p-6", data: "7" })],
    ["was refused", m(6)],
  ] as const)("finds a message that %s", ([, message]) => {
    const publishes = [publish(6, { is: "refused", code: "invalid" })];
    expect(kinds(evidence([[began(5), message]], { head: at(6) }, publishes))).toEqual(["foreign"]);
  });

  it("leaves open whether an uncertain publish is stored", () => {
    const publishes = [publish(6, { is: "refused", code: "uncertain" })];
    expect(kinds(evidence([[began(5), m(6)]], { head: at(6) }, publishes))).toEqual([]);
    expect(kinds(evidence([[began(5)]], {}, publishes))).toEqual([]);
  });

  it("finds what was acknowledged and is not there", () => {
    expect(kinds(evidence([], { head: at(4) }))).toEqual(["vanished"]);
    expect(kinds(evidence([], { kept: [seen(3), seen(5)] }))).toEqual(["vanished"]);
    expect(kinds(evidence([], { kept: [seen(4), seen(5)] }))).toEqual([]);
  });

  it("finds a new life that nobody caused", () => {
    expect(kinds(evidence([], { head: at(0, "b") }))).toEqual(["false-life"]);
    expect(kinds(evidence([], { head: at(0, "b"), lives: 2 }))).toEqual([]);
  });

  it("finds publishes of one publisher that are stored the wrong way round", () => {
    const publishes = [publish(1, stored(2)), publish(2, stored(1))];
    expect(kinds(evidence([], {}, publishes))).toEqual(["misordered"]);
    const ofTwo = [publish(1, stored(2)), publish(2, stored(1), { publisher: "q" })];
    expect(kinds(evidence([], {}, ofTwo))).toEqual([]);
  });

  it("says nothing of the order of a publish that was under way when the log was flushed", () => {
    const publishes = [publish(1, stored(2), { spansLives: true }), publish(2, stored(1))];
    expect(kinds(evidence([], {}, publishes))).toEqual([]);
  });

  it("compares no more of a message than its reader was told", () => {
    const bare = (data: string): Told => m(5, { id: undefined, kind: undefined, data });
    expect(kinds(evidence([[began(4), bare("5")]]))).toEqual([]);
    expect(kinds(evidence([[began(4), bare("6")]]))).toEqual(["disagreement"]);
    const alone = [publish(5, { is: "refused", code: "uncertain" })];
    expect(kinds(evidence([[began(4), bare("5")]], {}, alone))).toEqual([]);
    expect(kinds(evidence([[began(4), bare("6")]], {}, alone))).toEqual(["foreign"]);
  });

  it("finds a publish that was never settled", () => {
    expect(kinds(evidence([], {}, [publish(1, { is: "pending" })]))).toEqual(["unsettled"]);
  });
});

describe("the oracle, of what is not kept", () => {
  const set = (offset: number, key: string, more: Partial<SeenMessage> = {}): Told =>
    m(offset, { key, ...more });
  const publishes = [
    publish(1, stored(1), { key: "x" }),
    publish(2, stored(2), { key: "y" }),
    publish(3, stored(3), { key: "x" }),
    publish(4, stored(4), { key: "y", kind: "deleted", data: "" }),
  ];
  const deleted = set(4, "y", { kind: "deleted", data: "" });
  const latest: Partial<ChannelRecord> = {
    keep: "latest",
    head: at(4),
    kept: [seen(3, { key: "x" }), seen(4, { key: "y", kind: "deleted", data: "" })],
  };

  it("takes skips for what was replaced, and wants the newest value of each key in the end", () => {
    const told = [began(), set(1, "x"), set(2, "y"), set(3, "x"), deleted];
    expect(kinds(evidence([told, [began(), skip(0, 2), set(3, "x"), deleted]], latest, publishes))).toEqual(
      [],
    );
    expect(kinds(evidence([[began(), skip(0, 3), deleted]], latest, publishes))).toEqual(["false-state"]);
    expect(kinds(evidence([[began(), set(1, "x"), set(2, "y"), skip(2, 4)]], latest, publishes))).toEqual([
      "false-state",
      "false-state",
    ]);
  });

  it("forgets a reader's state at a gap, which the whole state must follow", () => {
    const toStart = gap(4, 0, { reason: "epoch", from: at(4, "0") });
    const told = [began(4, "0"), toStart, skip(0, 2), set(3, "x"), deleted];
    expect(kinds(evidence([told], { ...latest, lives: 2 }, publishes))).toEqual([]);
    const without = [began(4, "0"), toStart, skip(0, 4)];
    expect(kinds(evidence([without], { ...latest, lives: 2 }, publishes))).toEqual(["false-state"]);
  });

  it("accepts a gap of a latest channel that goes back to before the oldest kept entry [READ-4]", () => {
    const back = (more: readonly Told[], to = 0): string[] =>
      kinds(evidence([[began(), skip(0, 2), set(3, "x"), gap(3, to), ...more]], latest, publishes));
    expect(back([skip(0, 2), set(3, "x"), deleted])).toEqual([]);
    expect(back([set(3, "x"), deleted], 2)).toEqual([]);
    expect(back([skip(0, 3), deleted])).toEqual(["false-state"]);
    expect(back([set(3, "x"), set(3, "x"), deleted], 2)).toEqual(["doubled"]);
  });

  it("refuses a gap that goes back and counts lost messages, and a gap that goes back in a history", () => {
    const back = (channel: Partial<ChannelRecord>, lost?: number): string[] =>
      kinds(evidence([[began(3), gap(3, 2, { lost }), set(3, "x"), deleted]], channel, publishes));
    expect(back(latest)).toEqual([]);
    expect(back(latest, -1)).toEqual(["false-gap"]);
    expect(back({ head: at(4) })).toEqual(["false-gap"]);
  });

  it("does not ask a reader for values from before it came", () => {
    expect(kinds(evidence([[began(3), deleted]], latest, publishes))).toEqual([]);
  });

  it("wants all that a channel without a memory did not give in a gap or a skip", () => {
    const told = [began(), m(1), skip(1, 2), m(3), gap(3, 5, { reason: "not-kept" })];
    expect(kinds(evidence([told], { keep: "nothing" }))).toEqual([]);
    expect(kinds(evidence([[began(), m(1), m(5)]], { keep: "nothing" }))).toEqual(["lost"]);
  });
});
