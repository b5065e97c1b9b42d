/** Transports that talk back to core from inside its own calls: none of it may lose, double or hang anything. */
import { describe, expect, it } from "vitest";
import { OPEN_GRANTS } from "../../src/core/grants.ts";
import type { Outgoing, Reader, TalkingConnection } from "../../src/core/ports.ts";
import { parseSince } from "../../src/protocol/position.ts";
import { createReadingProbe, type ReadingProbe } from "../../src/testing/reading-probe.ts";
import { createHarness, type Harness } from "./harness.ts";

/** A probe whose `write` calls back before it returns. */
function open(
  harness: Harness,
  inside: (outgoing: Outgoing, reader: Reader) => boolean | undefined = () => undefined,
): { probe: ReadingProbe; reader: Reader } {
  const probe = createReadingProbe();
  const connection: TalkingConnection = {
    ...probe,
    write(outgoing) {
      const room = probe.write(outgoing);
      return inside(outgoing, reader) ?? room;
    },
  };
  const reader = harness.engine.open(connection, OPEN_GRANTS);
  return { probe, reader };
}

function attach(reader: Reader, channel: string, since?: string): void {
  void reader.attach(channel, parseSince(since));
  reader.start(channel);
}

const LARGE = "x".repeat(40_000);

describe("a transport that, inside a write,", () => {
  it("closes is written nothing more, and the channel begins anew for the next reader", () => {
    const harness = createHarness();
    const first = open(harness, (_outgoing, reader) => {
      reader.closed();
      return undefined;
    });
    attach(first.reader, "a");
    // The batch is full after two of these: it is written while the third is still on its way.
    const appended = harness.append("a", [LARGE, LARGE, LARGE]);
    harness.clock.turn();
    expect(first.probe.takeLog()).toHaveLength(2);
    harness.publish("a", "four");
    const second = open(harness);
    attach(second.reader, "a", `${appended?.position.epoch}:2`);
    harness.publish("a", "five");
    harness.clock.turn();
    expect(second.probe.takeLog()).toEqual([`3:${LARGE}`, "4:four", "5:five"]);
  });

  it("detaches one channel of two is written nothing more of that one", () => {
    const harness = createHarness();
    const { probe, reader } = open(harness, ({ channel }, inner) => {
      if (channel.name === "a") inner.detach("a");
      return undefined;
    });
    for (const text of ["one", "two"]) harness.publish("a", text);
    attach(reader, "b");
    attach(reader, "a", "earliest");
    harness.publish("a", "three");
    harness.publish("b", "still here");
    harness.clock.turn();
    expect(probe.takeLog()).toEqual(["1:one", "2:two", "1:still here"]);
  });

  it("detaches at a gap is not given the messages behind it [WIRE-10]", () => {
    const harness = createHarness();
    const { probe, reader } = open(harness, ({ item }, inner) => {
      if (item.is === "gap") inner.detach("a");
      return undefined;
    });
    attach(reader, "a");
    harness.publish("a", "one");
    harness.clock.turn();
    harness.memory.forget("a");
    harness.publish("a", "again one");
    harness.clock.turn();
    expect(probe.takeLog().map((line) => line.split(" ")[0])).toEqual(["1:one", "gap"]);
  });

  it("closes another connection neither skips a third nor serves one twice", () => {
    const harness = createHarness();
    const others: { probe: ReadingProbe; reader: Reader }[] = [];
    for (let count = 0; count < 3; count++) others.push(open(harness));
    const talkative = open(harness, () => {
      others[0]?.reader.closed();
      return undefined;
    });
    for (let count = 0; count < 3; count++) others.push(open(harness));
    const all = [...others.slice(0, 3), talkative, ...others.slice(3)];
    for (const { reader } of all) attach(reader, "a");
    harness.publish("a", "one");
    harness.clock.turn();
    harness.publish("a", "two");
    harness.clock.turn();
    expect(all.map(({ probe }) => probe.takeLog().join(" "))).toEqual([
      "",
      ...Array.from({ length: 6 }, () => "1:one 2:two"),
    ]);
  });

  it("publishes to the channel that it is given is given that behind it, once", () => {
    const harness = createHarness();
    const { probe, reader } = open(harness, ({ item }) => {
      const last = item.is === "messages" ? (item.entries.at(-1)?.offset ?? 0) : 9;
      if (last < 3) harness.publish("a", `answer to ${last}`);
      return undefined;
    });
    attach(reader, "a");
    harness.publish("a", "one");
    harness.clock.turn();
    expect(probe.takeLog()).toEqual(["1:one", "2:answer to 1", "3:answer to 2"]);
  });

  it("drains before it says that it was full goes on all the same [ATT-5]", () => {
    const harness = createHarness();
    const { probe, reader } = open(harness, (_outgoing, inner) => {
      inner.drained();
      return false;
    });
    attach(reader, "a");
    for (const text of ["one", "two", "three"]) {
      harness.publish("a", text);
      harness.clock.turn();
    }
    expect(probe.takeLog()).toEqual(["1:one", "2:two", "3:three"]);
  });

  it("attaches the channel anew is given the log from there, once [ATT-8]", () => {
    const harness = createHarness();
    for (const text of ["one", "two"]) harness.publish("a", text);
    let again = true;
    const { probe, reader } = open(harness, (_outgoing, inner) => {
      if (!again) return undefined;
      again = false;
      attach(inner, "a", "last:1");
      return undefined;
    });
    attach(reader, "a", "earliest");
    harness.publish("a", "three");
    harness.clock.turn();
    expect(probe.takeLog()).toEqual(["1:one", "2:two", "2:two", "3:three"]);
  });
});

describe("a full connection", () => {
  it("is not written the page behind a gap before it drains [ATT-5]", () => {
    const harness = createHarness();
    const { probe, reader } = open(harness);
    attach(reader, "a");
    const { epoch } = harness.publish("a", "one").position;
    harness.clock.turn();
    probe.room = 1;
    harness.memory.forget("a");
    const next = harness.publish("a", "again one").position;
    harness.clock.turn();
    expect(probe.takeLog()).toEqual(["1:one", `gap epoch ${epoch}:1 ${next.epoch}:0`]);
    probe.room = Number.POSITIVE_INFINITY;
    reader.drained();
    harness.clock.turn();
    expect(probe.takeLog()).toEqual(["1:again one"]);
  });

  it("is told neither marks nor that its channel is stale", async () => {
    const harness = createHarness({}, (memory) => ({
      ...memory,
      heads: () => Promise.reject(new Error("no contact")),
    }));
    const { probe, reader } = open(harness);
    attach(reader, "a");
    probe.room = 1;
    harness.publish("a", "one");
    harness.clock.turn();
    harness.clock.advance(60_000);
    await Promise.resolve();
    await Promise.resolve();
    expect(probe.takeLog()).toEqual(["1:one"]);
  });
});

describe("a closed connection", () => {
  it("can't attach any more, which would leave the channel followed for ever", () => {
    let followed = 0;
    const harness = createHarness({}, (memory) => ({
      ...memory,
      subscribe(spec, listener) {
        followed++;
        return memory.subscribe(spec, listener);
      },
    }));
    const { reader } = open(harness);
    reader.closed();
    expect(() => reader.attach("a", undefined)).toThrow(/has ended/);
    expect(followed).toBe(0);
  });

  it("ends where a broker that was closed can't be read, instead of throwing at its socket", async () => {
    const harness = createHarness();
    for (let index = 0; index < 3_000; index++) harness.publish("a", "x".repeat(100));
    const { probe, reader } = open(harness);
    probe.room = 1;
    attach(reader, "a", "earliest");
    await harness.engine.close();
    probe.room = Number.POSITIVE_INFINITY;
    expect(() => reader.drained()).not.toThrow();
    expect(probe.closedBy).toMatchObject({ code: "draining" });
  });
});
