/**
 * Generated histories against the promise to a publisher: each of its messages is stored once, in the order in which
 * it published them, whatever is refused, uncertain, overloaded or said on a connection that is long given up.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "vitest";
import { OPEN_GRANTS } from "../../src/core/grants.ts";
import { historyEntries } from "../../src/core/history.ts";
import { decodeText } from "../../src/protocol/message.ts";
import { createHarness } from "./harness.ts";
import { Appends, type Fate, type Nature, Publisher } from "./publish-model.ts";

const PUBLISHERS = 2;

type Step =
  | { do: "publish"; by: number; nature: Nature }
  | { do: "carry" | "carry old" | "hear"; by: number; count: number }
  | { do: "reconnect" | "cut old"; by: number }
  | { do: "append"; fate: Fate }
  | { do: "wait" };

const by = fc.nat(PUBLISHERS - 1);
const count = fc.integer({ min: 1, max: 4 });
const nature: fc.Arbitrary<Nature> = fc.oneof(
  { weight: 6, arbitrary: fc.constant("good") },
  { weight: 1, arbitrary: fc.constant("refused by broker") },
  { weight: 1, arbitrary: fc.constant("too large for node") },
);
const fate: fc.Arbitrary<Fate> = fc.oneof(
  { weight: 4, arbitrary: fc.constant("stored") },
  { weight: 1, arbitrary: fc.constant("stored, not told") },
  { weight: 1, arbitrary: fc.constant("lost") },
);
const weighted: readonly [number, fc.Arbitrary<Step>][] = [
  [8, fc.record({ do: fc.constant("publish"), by, nature })],
  [8, fc.record({ do: fc.constant("carry"), by, count })],
  [3, fc.record({ do: fc.constant("carry old"), by, count })],
  [8, fc.record({ do: fc.constant("hear"), by, count })],
  [2, fc.record({ do: fc.constant("reconnect"), by })],
  [1, fc.record({ do: fc.constant("cut old"), by })],
  [8, fc.record({ do: fc.constant("append"), fate })],
  [1, fc.record({ do: fc.constant("wait") })],
];
const steps = fc.array(fc.oneof(...weighted.map(([weight, arbitrary]) => ({ weight, arbitrary }))), {
  maxLength: 80,
  size: "max",
});

async function play(history: readonly Step[]): Promise<void> {
  const appends = new Appends();
  const limits = { messageBytes: 100, pendingPublishes: 4, commandBurst: 12, commandsPerSecond: 4 };
  const harness = createHarness({ limits }, appends.wrap);
  const publishers = Array.from({ length: PUBLISHERS }, (_, index) => new Publisher(harness, `p${index}`));
  for (const step of history) {
    const publisher = "by" in step ? publishers[step.by] : undefined;
    switch (step.do) {
      case "publish":
        publisher?.publish(step.nature);
        break;
      case "carry":
        publisher?.carry(step.count);
        break;
      case "carry old":
        publisher?.carryOld(step.count);
        break;
      case "hear":
        publisher?.hear(step.count);
        break;
      case "reconnect":
        publisher?.reconnect();
        break;
      case "cut old":
        publisher?.cutOld();
        break;
      case "append":
        await appends.next(step.fate);
        break;
      case "wait":
        harness.clock.advance(1_000);
        for (const each of publishers) each.goOn();
        break;
    }
  }
  // In the end everything is settled, and what older connections still say changes nothing.
  for (let round = 0; round < 400; round++) {
    for (const publisher of publishers) {
      publisher.carryOld(1);
      if (round % 4 === 3) publisher.cutOld();
      publisher.carry(99);
      publisher.hear(99);
    }
    while (appends.waiting > 0) await appends.next("stored");
    harness.clock.advance(1_000);
    for (const publisher of publishers) publisher.hear(99);
    for (const publisher of publishers) publisher.goOn();
    if (round > 40 && publishers.every((publisher) => publisher.done)) break;
  }
  assert.ok(appends.overlap <= 1, "two appends at once");
  const log = historyEntries(
    await harness.engine.history(
      { channel: "a", since: { at: "earliest" }, limit: 1_000, wait: undefined },
      OPEN_GRANTS,
    ),
  ).map((entry) => decodeText(entry.data)?.split(" ")[0]);
  for (const [index, publisher] of publishers.entries()) {
    assert.ok(publisher.done, "a publish that is never settled");
    assert.deepEqual(
      log.filter((id) => id?.startsWith(`p${index}-`)),
      publisher.expected,
    );
  }
  await harness.engine.close();
}

describe("the messages of a publisher", () => {
  it("are stored once and in order, through refusals, uncertain appends and connections given up [PUB-7] [PUB-8] [PUB-14] [PUB-15] [PUB-16]", async () => {
    await fc.assert(fc.asyncProperty(steps, play), { numRuns: 1_000 });
  });
});
