import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Keep } from "./message.ts";
import { formatPosition, parseSince, type Since } from "./position.ts";
import { defaultSince, type LogState, resolveSince } from "./since.ts";

const NOW = "0mhlk2v9q7xa";
const EARLIER = "0mhlj0000000";
const LATER = "0mhlz0000000";

/** Offsets 4 to 9 are kept. */
const history: LogState = { epoch: NOW, head: 9, oldest: 4, floor: 3 };
/** 2, 5 and 9 are the newest of their keys; a tombstone at 3 was dropped. */
const latest: LogState = { epoch: NOW, head: 9, oldest: 2, floor: 3 };
const nothing: LogState = { epoch: NOW, head: 9, oldest: 10, floor: 9 };
const empty: LogState = { epoch: NOW, head: 0, oldest: 1, floor: 0 };
/** Everything was too old. */
const expired: LogState = { epoch: NOW, head: 9, oldest: 10, floor: 9 };

/** The answer in one line: where reading goes on from, and the gap. */
function answer(since: string, log: LogState, keep: Keep): string {
  const parsed = parseSince(since);
  if (!parsed) throw new Error(`no since: ${since}`);
  const { position, gap } = resolveSince(parsed, log, keep);
  expect(position.epoch).toBe(log.epoch);
  if (!gap) return `continuous ${position.offset}`;
  expect([formatPosition(gap.from), gap.to]).toEqual([since, position]);
  return `gap ${gap.reason} ${position.offset}${gap.lost === undefined ? "" : ` lost ${gap.lost}`}`;
}

const at = (offset: number, epoch = NOW): string => formatPosition({ epoch, offset });

describe("where reading starts", () => {
  it.each([
    ["now", history, "continuous 9", "[POS-10]"],
    ["now", empty, "continuous 0", "[POS-10]"],
    ["earliest", history, "continuous 3", "[POS-11]"],
    ["earliest", empty, "continuous 0", "[POS-11]"],
    ["earliest", expired, "continuous 9", "[POS-11, POS-20]"],
    ["last:2", history, "continuous 7", "[POS-12]"],
    ["last:6", history, "continuous 3", "[POS-12]"],
    ["last:7", history, "continuous 3", "[POS-12]"],
    ["last:9007199254740991", history, "continuous 3", "[POS-12]"],
    ["last:0", history, "continuous 9", "[POS-12]"],
    ["last:5", empty, "continuous 0", "[POS-12]"],
    [at(9), history, "continuous 9", "[POS-13]"],
    [at(0), empty, "continuous 0", "[POS-13]"],
    [at(8), history, "continuous 8", "[POS-14]"],
    [at(3), history, "continuous 3", "[POS-14]"],
    [at(2), history, "gap retention 3 lost 1", "[POS-15]"],
    [at(0), history, "gap retention 3 lost 3", "[POS-15]"],
    [at(8), expired, "gap retention 9 lost 1", "[POS-15, POS-20]"],
    [at(10), history, "gap unknown-position 9", "[POS-16]"],
    [at(1), empty, "gap unknown-position 0", "[POS-16]"],
    [at(5, EARLIER), history, "gap epoch 3", "[POS-17]"],
    [at(9, LATER), history, "gap epoch 3", "[POS-17]"],
    [at(0, EARLIER), empty, "gap epoch 0", "[POS-17, POS-20]"],
    [at(5, EARLIER), expired, "gap epoch 9", "[POS-17, POS-20]"],
  ])("in a history, from %s with %j, is: %s %s", (since, log, expected) => {
    expect(answer(since, log, "history")).toBe(expected);
  });

  it.each([
    ["now", "continuous 9"],
    ["earliest", "continuous 1"],
    ["last:1", "continuous 8"],
    [at(9), "continuous 9"],
    [at(3), "continuous 3"],
    [at(2), "gap retention 1"],
    [at(0), "gap retention 1 lost 1"],
    [at(10), "gap unknown-position 1"],
    [at(5, EARLIER), "gap epoch 1"],
  ])("in the latest of each key, from %s, is: %s", (since, expected) => {
    expect(answer(since, latest, "latest")).toBe(expected);
  });

  it.each([
    ["now", "continuous 9"],
    ["earliest", "continuous 9"],
    ["last:3", "continuous 9"],
    [at(9), "continuous 9"],
    [at(8), "gap not-kept 9 lost 1"],
    [at(0), "gap not-kept 9 lost 9"],
    [at(10), "gap unknown-position 9"],
    [at(8, EARLIER), "gap epoch 9"],
  ])("where nothing is kept, from %s, is: %s", (since, expected) => {
    expect(answer(since, nothing, "nothing")).toBe(expected);
  });
});

const log: fc.Arbitrary<LogState> = fc
  .tuple(fc.nat({ max: 20 }), fc.nat({ max: 20 }), fc.nat({ max: 20 }))
  .map(([head, kept, dropped]) => {
    const oldest = head + 1 - Math.min(kept, head);
    return { epoch: NOW, head, oldest, floor: Math.min(head, oldest - 1 + (dropped % (head - oldest + 2))) };
  });

const since: fc.Arbitrary<Since> = fc.oneof(
  fc.constantFrom<Since>({ at: "now" }, { at: "earliest" }),
  fc.record({ at: fc.constant("last" as const), count: fc.nat({ max: 30 }) }),
  fc.record({
    at: fc.constant("position" as const),
    position: fc.record({ epoch: fc.constantFrom(NOW, EARLIER, LATER), offset: fc.nat({ max: 25 }) }),
  }),
);

const keep = fc.constantFrom<Keep>("history", "latest", "nothing");

describe("the answer to `since`", () => {
  it("lies between the place before the oldest message kept and the head, or is the place asked for [GAP-2, POS-19]", () => {
    fc.assert(
      fc.property(since, log, keep, (asked, state, kind) => {
        const { position, gap } = resolveSince(asked, state, kind);
        expect(position.offset).toBeLessThanOrEqual(state.head);
        const asAsked = asked.at === "position" && !gap;
        expect(position.offset).toBeGreaterThanOrEqual(asAsked ? 0 : state.oldest - 1);
        expect(position).toEqual(asAsked ? asked.position : { epoch: state.epoch, offset: position.offset });
        expect(gap?.to ?? position).toEqual(position);
      }),
    );
  });

  it("is a gap only where a position was given, for nothing else was promised [POS-10, POS-11, POS-12]", () => {
    fc.assert(
      fc.property(since, log, keep, (asked, state, kind) => {
        fc.pre(asked.at !== "position");
        expect(resolveSince(asked, state, kind).gap).toBeUndefined();
      }),
    );
  });

  it("counts what was lost where both ends are of one epoch, in order [GAP-3]", () => {
    fc.assert(
      fc.property(since, log, keep, (asked, state, kind) => {
        const { gap } = resolveSince(asked, state, kind);
        fc.pre(gap !== undefined);
        const comparable = gap.from.epoch === gap.to.epoch && gap.to.offset >= gap.from.offset;
        expect(gap.lost).toBe(comparable ? gap.to.offset - gap.from.offset : undefined);
      }),
    );
  });

  it("to any gap of a channel that keeps the latest is the whole state [GAP-5]", () => {
    fc.assert(
      fc.property(since, log, (asked, state) => {
        const { position, gap } = resolveSince(asked, state, "latest");
        fc.pre(gap !== undefined);
        expect(position.offset).toBe(state.oldest - 1);
      }),
    );
  });

  it("is the same again from where it led to: one gap is told once [GAP-2]", () => {
    fc.assert(
      fc.property(since, log, fc.constantFrom<Keep>("history", "nothing"), (asked, state, kind) => {
        const settled = { ...state, floor: kind === "nothing" ? state.head : state.oldest - 1 };
        const place = kind === "nothing" ? { ...settled, oldest: state.head + 1 } : settled;
        const { position } = resolveSince(asked, place, kind);
        expect(resolveSince({ at: "position", position }, place, kind)).toEqual({ position, gap: undefined });
      }),
    );
  });

  it("begins, where nothing was asked for, at the head, and at the state where a channel has one [POS-9]", () => {
    expect(defaultSince("history")).toEqual({ at: "now" });
    expect(defaultSince("nothing")).toEqual({ at: "now" });
    expect(defaultSince("latest")).toEqual({ at: "earliest" });
  });
});

describe("a reader that is being given the whole state of a `latest` channel", () => {
  const goOn = (offset: number, began?: number): Since => ({
    at: "position",
    position: { epoch: NOW, offset },
    ...(began === undefined ? {} : { began }),
  });

  it("reads on page by page below tombstones that were dropped before it began", () => {
    for (const offset of [1, 2]) {
      expect(resolveSince(goOn(offset, latest.head), latest, "latest")).toEqual({
        position: { epoch: NOW, offset },
        gap: undefined,
      });
    }
  });

  it("is told a gap where a tombstone that came after it began is dropped", () => {
    const later = { ...latest, head: 12, floor: 11 };
    expect(resolveSince(goOn(5, 9), later, "latest").gap).toMatchObject({ reason: "retention" });
    expect(resolveSince(goOn(11, 9), later, "latest").gap).toBeUndefined();
  });

  it("is told a gap where it comes back and may have begun at any time", () => {
    expect(resolveSince(goOn(2), latest, "latest").gap).toMatchObject({ reason: "retention" });
  });

  it("is told a gap in a new epoch all the same", () => {
    const next = { ...latest, epoch: LATER };
    expect(resolveSince(goOn(5, 9), next, "latest").gap).toMatchObject({ reason: "epoch" });
  });

  it("is the only one: of a history nothing is left out in silence", () => {
    expect(resolveSince(goOn(1, 9), history, "history").gap).toMatchObject({ reason: "retention" });
  });
});
