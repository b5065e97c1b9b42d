import { describe, expect, it } from "vitest";
import type { Outgoing } from "../../src/core/ports.ts";
import type { ReadingProbe } from "../../src/testing/reading-probe.ts";
import { attach, createHarness, type Harness, open } from "./harness.ts";

function readAll(harness: Harness, ...channels: string[]): ReadingProbe {
  const { probe, reader } = open(harness);
  // Full while it attaches, so that all begin together.
  probe.room = 0;
  attach(reader, "full");
  harness.publish("full", "x");
  harness.clock.turn();
  for (const channel of channels) attach(reader, channel, "earliest");
  probe.outgoing.length = 0;
  probe.room = Number.POSITIVE_INFINITY;
  reader.drained();
  harness.clock.turn();
  return probe;
}

interface PageSize {
  readonly channel: string;
  readonly messages: number;
  readonly bytes: number;
}

function pages(outgoing: readonly Outgoing[]): PageSize[] {
  return outgoing.flatMap(({ channel, item }) =>
    item.is === "messages"
      ? [
          {
            channel: channel.name,
            messages: item.entries.length,
            bytes: item.entries.reduce((sum, { data }) => sum + data.length, 0),
          },
        ]
      : [],
  );
}

describe("a page of catch-up", () => {
  it("holds at most 256 messages [ATT-6]", () => {
    const harness = createHarness();
    for (let n = 0; n < 600; n++) harness.publish("a", "x");
    expect(pages(readAll(harness, "a").outgoing).map(({ messages }) => messages)).toEqual([256, 256, 88]);
  });

  it.each([
    ["from what this node remembers", 10],
    ["from the broker", 60],
  ])("holds at most 64 KiB of data, %s [ATT-6]", (_from, count) => {
    const harness = createHarness();
    for (let n = 0; n < count; n++) harness.publish("a", "x".repeat(30_000));
    const read = pages(readAll(harness, "a").outgoing);
    expect(read.map(({ bytes }) => bytes)).toEqual(Array.from({ length: count / 2 }, () => 60_000));
  });

  it("holds one message at least, however large [ATT-6]", () => {
    const harness = createHarness({ limits: { messageBytes: 200_000 } });
    for (let n = 0; n < 3; n++) harness.publish("a", "x".repeat(100_000));
    expect(pages(readAll(harness, "a").outgoing).map(({ messages }) => messages)).toEqual([1, 1, 1]);
  });

  it("is followed by one of each other channel that lags, so that a long one holds up no short one [ATT-6]", () => {
    const harness = createHarness();
    for (let n = 0; n < 2_000; n++) harness.publish("long", "x");
    for (const channel of ["short", "brief"]) for (let n = 0; n < 300; n++) harness.publish(channel, "x");
    const order = pages(readAll(harness, "long", "short", "brief").outgoing).map(({ channel }) => channel);
    expect(order.slice(0, 6)).toEqual(["long", "short", "brief", "long", "short", "brief"]);
    expect(order.slice(6)).toEqual(Array.from({ length: 6 }, () => "long"));
  });

  it("is the last that is written to a socket which it fills [ATT-5, ATT-6]", () => {
    const harness = createHarness();
    for (let n = 0; n < 600; n++) harness.publish("a", "x");
    const { probe, reader } = open(harness);
    probe.room = 1;
    attach(reader, "a", "earliest");
    harness.clock.turn();
    expect(pages(probe.outgoing).map(({ messages }) => messages)).toEqual([256]);
    probe.room = 1;
    reader.drained();
    harness.clock.turn();
    expect(pages(probe.outgoing).map(({ messages }) => messages)).toEqual([256, 256]);
  });

  it("is followed at once by a channel that was live until the socket filled, before all that lag behind [ATT-6]", () => {
    const harness = createHarness();
    for (const channel of ["long", "longer", "longest"])
      for (let n = 0; n < 10_000; n++) harness.publish(channel, "x");
    const { probe, reader } = open(harness);
    attach(reader, "chat");
    probe.room = 1;
    for (const channel of ["long", "longer", "longest"]) attach(reader, channel, "earliest");
    harness.clock.turn();
    probe.outgoing.length = 0;
    const order: string[] = [];
    // A socket that takes one page at a time, and a message in the chat for each of them.
    for (let drain = 0; drain < 60; drain++) {
      harness.publish("chat", "hi");
      harness.clock.turn();
      probe.room = 1;
      reader.drained();
      harness.clock.turn();
      order.push(...pages(probe.outgoing.splice(0)).map(({ channel }) => channel));
    }
    const chat = order.flatMap((channel, place) => (channel === "chat" ? [place] : []));
    // Each second page at the latest; and the long ones go on all the same, in turn.
    expect(chat[0]).toBe(0);
    expect(chat.every((place, index) => index === 0 || place - (chat[index - 1] ?? 0) <= 2)).toBe(true);
    const long = order.filter((channel) => channel !== "chat");
    expect(long.length).toBeGreaterThanOrEqual(20);
    expect(new Set(long.slice(0, 3)).size).toBe(3);
  });

  it("is the only one of its channel before the other attaches of a turn have theirs [ATT-6]", () => {
    const harness = createHarness();
    for (let n = 0; n < 10_000; n++) harness.publish("long", "x");
    for (let n = 0; n < 20; n++) harness.publish(`short/${n}`, "x");
    const { probe, reader } = open(harness);
    attach(reader, "long", "earliest");
    for (let n = 0; n < 20; n++) attach(reader, `short/${n}`, "earliest");
    expect(pages(probe.outgoing).map(({ channel }) => channel)).toEqual([
      "long",
      ...Array.from({ length: 20 }, (_, n) => `short/${n}`),
    ]);
  });
});
