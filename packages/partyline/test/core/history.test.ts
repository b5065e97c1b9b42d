import { describe, expect, it } from "vitest";
import { grants, OPEN_GRANTS } from "../../src/core/grants.ts";
import { historyEntries } from "../../src/core/history.ts";
import type { Grants, HistoryAnswer, HistoryRequest } from "../../src/core/ports.ts";
import { createHarness, type Harness, settle } from "./harness.ts";

const EARLIEST = { at: "earliest" } as const;

function read(
  harness: Harness,
  request: Partial<HistoryRequest>,
  as: Grants = OPEN_GRANTS,
): Promise<HistoryAnswer> {
  const whole = { channel: "a", since: undefined, limit: 100, wait: undefined, ...request };
  return Promise.resolve().then(() => harness.engine.history(whole, as));
}

const offsets = (answer: HistoryAnswer): number[] => historyEntries(answer).map(({ offset }) => offset);

describe("history", () => {
  it("needs the grant to subscribe, waiting or not [ATT-10]", async () => {
    const harness = createHarness();
    const publisher = grants({ a: ["publish"] });
    for (const wait of [undefined, 5_000])
      await expect(read(harness, { wait }, publisher)).rejects.toMatchObject({ code: "forbidden" });
    expect(offsets(await read(harness, {}, grants({ a: ["subscribe"] })))).toEqual([]);
  });

  it("is read without making the channel, and answered with none [KEEP-5]", async () => {
    const harness = createHarness();
    expect(await read(harness, {})).toMatchObject({ position: undefined, head: undefined, more: false });
    expect(harness.memory.heads(["a"])).toEqual([undefined]);
  });

  it("says whether there is more, and where it would be [HTTP-8] [HTTP-9]", async () => {
    const harness = createHarness();
    for (const text of ["one", "two", "three"]) harness.publish("a", text);
    const some = await read(harness, { since: EARLIEST, limit: 2 });
    expect([offsets(some), some.position?.offset, some.more]).toEqual([[1, 2], 2, true]);
    const rest = await read(harness, {
      since: { at: "position", position: some.position ?? { epoch: "", offset: 0 } },
    });
    expect([offsets(rest), rest.position?.offset, rest.more]).toEqual([[3], 3, false]);
  });

  it.each([undefined, 5_000])(
    "holds so many bytes and no more, but one message at least, with a wait of %s [HTTP-14]",
    async (wait) => {
      const harness = createHarness({ limits: { historyBytes: 10 } });
      for (const text of ["x".repeat(20), "1234", "5678", "90123"]) harness.publish("a", text);
      const large = await read(harness, { since: EARLIEST, wait });
      expect([offsets(large), large.more]).toEqual([[1], true]);
      const position = large.position ?? { epoch: "", offset: 0 };
      const small = await read(harness, { since: { at: "position", position }, wait });
      expect([offsets(small), small.more]).toEqual([[2, 3], true]);
    },
  );

  it("that waits gathers what there was when it began, in however many pages and turns", async () => {
    const harness = createHarness();
    for (let index = 0; index < 2_500; index++) harness.publish("a", "x");
    const answer = read(harness, { since: EARLIEST, limit: 10_000, wait: 5_000 });
    await settle();
    harness.clock.turn();
    expect(offsets(await answer)).toHaveLength(2_500);
  });

  it("that waits is given the pages that others are given, so that they are encoded once", async () => {
    const harness = createHarness();
    for (let n = 0; n < 40; n++) harness.publish("a", "x".repeat(16_000));
    const polls = [100, 100, 10].map((limit) => read(harness, { since: EARLIEST, limit, wait: 5_000 }));
    await settle();
    harness.clock.turn();
    const answers = await Promise.all(polls);
    expect(answers.map((answer) => offsets(answer).length)).toEqual([40, 40, 10]);
    const pages = new Set(answers.flatMap((answer) => answer.pages));
    // Ten pages of four messages, and the half of one that the third answer is cut to.
    expect(pages.size).toBe(11);
  });

  describe("that waits, where retention overtakes it", () => {
    /** A harness of `kept` messages, of which `newer` come right before the `n`th page is read. */
    const overtaken = (kept: number, n: number, newer: number): Harness => {
      let pages = 0;
      const harness: Harness = createHarness({ retention: { count: kept } }, (memory) => ({
        ...memory,
        read(spec, since, limit) {
          if (limit.messages > 0 && ++pages === n)
            harness.append(
              "a",
              Array.from({ length: newer }, () => "newer"),
            );
          return memory.read(spec, since, limit);
        },
      }));
      return harness;
    };

    it("tells what it missed before its first message as one gap [HTTP-10]", async () => {
      const harness = overtaken(3, 1, 5);
      const { epoch } = harness.append("a", ["1", "2", "3", "4", "5"])?.position ?? { epoch: "" };
      const answer = await read(harness, {
        since: { at: "position", position: { epoch, offset: 1 } },
        wait: 5_000,
      });
      expect(answer.gap).toEqual({
        from: { epoch, offset: 1 },
        to: { epoch, offset: 7 },
        reason: "retention",
        lost: 6,
      });
      expect(offsets(answer)).toEqual([8, 9, 10]);
    });

    it("tells what it missed behind some messages with the next answer [HTTP-10]", async () => {
      const harness = overtaken(600, 2, 600);
      harness.append(
        "a",
        Array.from({ length: 600 }, () => "old"),
      );
      const asked = read(harness, { since: EARLIEST, limit: 10_000, wait: 5_000 });
      await settle();
      harness.clock.turn();
      const first = await asked;
      expect(first.gap).toBeUndefined();
      expect(first.position).toMatchObject({ offset: offsets(first).length });
      const position = first.position ?? { epoch: "", offset: 0 };
      const next = await read(harness, { since: { at: "position", position }, wait: 5_000 });
      expect(next.gap).toMatchObject({ from: position, to: { offset: 600 } });
      expect(offsets(next)[0]).toBe(601);
    });
  });
});
