import { describe, expect, it } from "vitest";
import { grants, OPEN_GRANTS } from "../../src/core/grants.ts";
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

const offsets = ({ entries }: HistoryAnswer): number[] => entries.map(({ offset }) => offset);

describe("history", () => {
  it("needs the grant to subscribe, waiting or not [ATT-10]", async () => {
    const harness = createHarness();
    const publisher = grants({ a: ["publish"] });
    for (const wait of [undefined, 5_000])
      await expect(read(harness, { wait }, publisher)).rejects.toMatchObject({ code: "forbidden" });
    expect((await read(harness, {}, grants({ a: ["subscribe"] }))).entries).toEqual([]);
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
    expect((await answer).entries).toHaveLength(2_500);
  });
});
