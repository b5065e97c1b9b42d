import { describe, expect, it } from "vitest";
import { OPEN_GRANTS } from "../../src/core/grants.ts";
import { createReadingProbe, describeAnswer } from "../../src/testing/reading-probe.ts";
import { attach, createHarness, open } from "./harness.ts";

describe("attach", () => {
  it("delivers what is published after it, once, at the end of the turn [POS-10]", () => {
    const harness = createHarness();
    const { probe, reader } = open(harness);
    attach(reader, "a");
    harness.publish("a", "one");
    harness.publish("a", "two");
    expect(probe.takeLog()).toEqual([]);
    harness.clock.turn();
    expect(probe.takeLog()).toEqual(["1:one", "2:two"]);
    expect(probe.outgoing).toHaveLength(1);
  });

  it("answers a position at the head with continuous and nothing replayed [POS-13] [GAP-1]", () => {
    const harness = createHarness();
    const { position } = harness.publish("a", "one");
    const { reader } = open(harness);
    const answer = attach(reader, "a", `${position.epoch}:1`);
    expect(describeAnswer(answer)).toBe(`continuous 0 from ${position.epoch}:1`);
  });

  it("replays what follows a kept position and goes on live without a hole or a double [POS-14] [ATT-1]", () => {
    const harness = createHarness();
    const { position } = harness.publish("a", "one");
    harness.publish("a", "two");
    const { probe, reader } = open(harness);
    // In the same turn as the publish of "two": its batch is still to be written.
    const answer = attach(reader, "a", `${position.epoch}:1`);
    harness.publish("a", "three");
    harness.clock.turn();
    harness.publish("a", "four");
    harness.clock.turn();
    expect(answer.replayed).toBe(1);
    expect(probe.takeLog()).toEqual(["2:two", "3:three", "4:four"]);
  });

  it("leaves who has the turn's batch already where it stands", () => {
    const harness = createHarness();
    attach(open(harness).reader, "a");
    harness.publish("a", "one");
    const { probe, reader } = open(harness);
    attach(reader, "a", "earliest");
    harness.clock.turn();
    expect(probe.takeLog()).toEqual(["1:one"]);
    expect(harness.counters.snapshot().lagging).toBeUndefined();
  });

  it("asks the broker also of a position at this node's head: its life may be over [POS-17] [POS-18]", () => {
    const harness = createHarness();
    attach(open(harness).reader, "a");
    const { epoch } = harness.publish("a", "one").position;
    harness.memory.forget("a");
    expect(describeAnswer(attach(open(harness).reader, "a", `${epoch}:1`))).toMatch(/^gap epoch/);
  });

  it("tells a gap where retention has passed the position [POS-15] [GAP-2] [GAP-3]", () => {
    const harness = createHarness({ retention: { count: 2 } });
    const { position } = harness.publish("a", "one");
    for (const text of ["two", "three", "four"]) harness.publish("a", text);
    const { probe, reader } = open(harness);
    const answer = attach(reader, "a", `${position.epoch}:1`);
    expect(answer.gap).toEqual({
      from: position,
      to: { epoch: position.epoch, offset: 2 },
      reason: "retention",
      lost: 1,
    });
    expect(probe.takeLog()).toEqual(["3:three", "4:four"]);
    expect(harness.counters.snapshot().gaps).toEqual({ retention: 1 });
  });

  it("tells a gap and goes on at the head where the position is above it [POS-16]", () => {
    const harness = createHarness();
    const { position } = harness.publish("a", "one");
    const { reader } = open(harness);
    const answer = attach(reader, "a", `${position.epoch}:7`);
    expect(describeAnswer(answer)).toBe(`gap unknown-position to ${position.epoch}:1`);
  });

  it("tells a live reader of a new epoch and goes on with its messages [GAP-4]", () => {
    const harness = createHarness();
    const { probe, reader } = open(harness);
    attach(reader, "a");
    const first = harness.publish("a", "one").position;
    harness.clock.turn();
    harness.memory.forget("a");
    const second = harness.publish("a", "again one").position;
    harness.clock.turn();
    expect(second.epoch > first.epoch).toBe(true);
    expect(probe.takeLog()).toEqual(["1:one", `gap epoch ${first.epoch}:1 ${second.epoch}:0`, "1:again one"]);
  });

  it("replaces an attach of the same channel by the second one [ATT-8]", () => {
    const harness = createHarness();
    const { probe, reader } = open(harness);
    attach(reader, "a");
    attach(reader, "a", "earliest");
    harness.publish("a", "one");
    harness.clock.turn();
    expect(probe.takeLog()).toEqual(["1:one"]);
  });

  it("ends every cursor and the broker's subscription with the connection", () => {
    const harness = createHarness();
    const { probe, reader } = open(harness);
    attach(reader, "a");
    reader.closed();
    reader.closed();
    harness.publish("a", "one");
    harness.clock.turn();
    expect(probe.takeLog()).toEqual([]);
  });

  it("refuses one channel too many [ATT-9]", () => {
    const harness = createHarness({ limits: { channelsPerConnection: 1 } });
    const { reader } = open(harness);
    attach(reader, "a");
    expect(() => reader.attach("b", undefined)).toThrow(
      expect.objectContaining({ code: "too-many-channels" }),
    );
  });

  it("refuses names that no definition matches, and reserved ones [NAME-7] [NAME-9]", () => {
    const harness = createHarness({ channels: { "chat/:room": {} } });
    const { reader } = open(harness);
    expect(() => reader.attach("news", undefined)).toThrow(
      expect.objectContaining({ code: "unknown-channel" }),
    );
    expect(() => reader.attach("$tickets", undefined)).toThrow(
      expect.objectContaining({ code: "forbidden" }),
    );
  });
});

describe("a slow reader", () => {
  it("is given nothing while its socket is full, and reads on from the log when it drains [ATT-5]", () => {
    const harness = createHarness();
    const { probe, reader } = open(harness);
    const other = open(harness);
    attach(reader, "a");
    attach(other.reader, "a");
    probe.room = 1;
    for (let turn = 1; turn <= 5; turn++) {
      harness.publish("a", `m${turn}`);
      harness.clock.turn();
    }
    expect(probe.takeLog()).toEqual(["1:m1"]);
    expect(other.probe.takeLog()).toEqual(["1:m1", "2:m2", "3:m3", "4:m4", "5:m5"]);
    probe.room = Number.POSITIVE_INFINITY;
    reader.drained();
    harness.publish("a", "m6");
    harness.clock.turn();
    expect(probe.takeLog()).toEqual(["2:m2", "3:m3", "4:m4", "5:m5", "6:m6"]);
    expect(harness.counters.snapshot().lagging).toEqual({ "": 1 });
  });

  it("skips to the newest value of each key on a channel that keeps the latest", () => {
    const harness = createHarness({ channels: { prices: { keep: "latest" } } });
    const { probe, reader } = open(harness);
    attach(reader, "prices");
    probe.room = 1;
    const prices = [
      ["a", "1"],
      ["a", "2"],
      ["b", "3"],
      ["a", "4"],
    ] as const;
    for (const [key, price] of prices) {
      harness.publish("prices", price, key);
      harness.clock.turn();
    }
    probe.room = Number.POSITIVE_INFINITY;
    reader.drained();
    harness.clock.turn();
    expect(probe.takeLog()).toEqual(["1:1", "3:3", "4:4"]);
  });

  it("is given the whole of a state in which a deletion was forgotten, once [KEEP-16]", () => {
    const harness = createHarness({ channels: { prices: { keep: "latest", retention: { age: 1_000 } } } });
    harness.publish("prices", "1", "a");
    harness.publish("prices", "2", "b");
    void harness.engine.remove("prices", "b", OPEN_GRANTS);
    harness.clock.advance(5_000);
    const { probe, reader } = open(harness);
    const answer = attach(reader, "prices");
    harness.clock.turn();
    const { epoch } = answer.position;
    expect(probe.takeLog()).toEqual(["1:1", `skip ${epoch}:1 ${epoch}:3`]);
  });

  it("is told what it was not given on a channel that keeps nothing [KEEP-13]", () => {
    const harness = createHarness({ channels: { typing: { keep: "nothing" } } });
    const { probe, reader } = open(harness);
    attach(reader, "typing");
    probe.room = 1;
    let epoch = "";
    for (let turn = 1; turn <= 3; turn++) {
      ({ epoch } = harness.publish("typing", `m${turn}`).position);
      harness.clock.turn();
    }
    probe.room = Number.POSITIVE_INFINITY;
    reader.drained();
    harness.publish("typing", "m4");
    harness.clock.turn();
    expect(probe.takeLog()).toEqual(["1:m1", `skip ${epoch}:1 ${epoch}:3`, "4:m4"]);
  });

  it("does not hold up a small live channel of the same connection", () => {
    const harness = createHarness();
    for (let index = 0; index < 5_000; index++) harness.publish("big", "x".repeat(100));
    const { probe, reader } = open(harness);
    attach(reader, "small");
    attach(reader, "big", "earliest");
    harness.publish("small", "hello");
    harness.clock.turn();
    const log = probe.takeLog();
    expect(log.indexOf("1:hello")).toBeGreaterThan(-1);
    expect(log.indexOf("1:hello")).toBeLessThan(3_000);
    expect(log).toHaveLength(5_001);
  });
});

describe("several long channels", () => {
  it("take turns, page by page, as much as a page may hold [ATT-6]", () => {
    const harness = createHarness();
    for (let index = 0; index < 600; index++) harness.publish("many", "x");
    for (let index = 0; index < 5; index++) harness.publish("large", "x".repeat(30_000));
    const { probe, reader } = open(harness);
    probe.room = 1;
    // Fills the socket, so that the others begin together.
    harness.publish("first", "x");
    attach(reader, "first", "earliest");
    attach(reader, "many", "earliest");
    attach(reader, "large", "earliest");
    probe.outgoing.length = 0;
    probe.room = Number.POSITIVE_INFINITY;
    reader.drained();
    const pages = probe.outgoing.map(({ channel, item }) =>
      item.is === "messages" ? `${channel.name} ${item.entries.length}` : item.is,
    );
    expect(pages).toEqual(["many 256", "large 2", "many 256", "large 2", "many 88", "large 1"]);
  });

  it("are corked together in each turn, once", () => {
    const harness = createHarness();
    const probe = createReadingProbe();
    const calls: string[] = [];
    const connection = {
      ...probe,
      write: () => calls.push("write") > 0,
      cork: () => void calls.push("cork"),
      uncork: () => void calls.push("uncork"),
    };
    const reader = harness.engine.open(connection, OPEN_GRANTS);
    for (const name of ["a", "b"]) attach(reader, name);
    for (let turn = 0; turn < 2; turn++) {
      for (const name of ["a", "b"]) harness.publish(name, "x");
      harness.clock.turn();
      expect(calls.splice(0)).toEqual(["cork", "write", "write", "uncork"]);
    }
  });
});

describe("a quiet channel", () => {
  it("repeats its position to live readers every 20 s [LIVE-1]", () => {
    const harness = createHarness();
    const { probe, reader } = open(harness);
    attach(reader, "a");
    const { epoch } = harness.publish("a", "one").position;
    harness.clock.turn();
    harness.clock.advance(62_000);
    expect(probe.takeLog()).toEqual(["1:one", `mark ${epoch}:1`, `mark ${epoch}:1`, `mark ${epoch}:1`]);
  });

  it("says nothing to a reader whom the broker has placed beyond what this node has heard", () => {
    const harness = createHarness();
    const { reader } = open(harness);
    attach(reader, "a");
    for (const text of ["one", "two"]) harness.publish("a", text);
    harness.clock.turn();
    harness.memory.forget("a");
    const late = open(harness);
    attach(late.reader, "a", "earliest");
    harness.clock.advance(21_000);
    expect(late.probe.takeLog()).toEqual([]);
    harness.publish("a", "again one");
    harness.clock.turn();
    expect(late.probe.takeLog()).toEqual(["1:again one"]);
  });

  it("leaves no timer behind when nobody reads any more", async () => {
    const harness = createHarness();
    const { reader } = open(harness);
    attach(reader, "a");
    reader.closed();
    await harness.engine.close();
    expect(harness.clock.timers).toBe(0);
  });
});

describe("the head check", () => {
  it("finds messages that the broker did not deliver, within two checks [LIVE-2]", async () => {
    let deaf = false;
    const harness = createHarness({}, (memory) => ({
      ...memory,
      subscribe: (spec, listener) =>
        memory.subscribe(spec, (epoch, entries) => {
          if (!deaf) listener(epoch, entries);
        }),
    }));
    const { probe, reader } = open(harness);
    attach(reader, "a");
    harness.publish("a", "one");
    deaf = true;
    harness.publish("a", "two");
    harness.clock.turn();
    harness.clock.advance(21_000);
    // Once may be a message on its way.
    expect(harness.counters.snapshot().stale).toBeUndefined();
    for (let check = 0; check < 2; check++) {
      harness.clock.advance(20_000);
      await Promise.resolve();
      await Promise.resolve();
      harness.clock.turn();
    }
    expect(probe.takeLog().filter((line) => !line.startsWith("mark"))).toEqual(["1:one", "2:two"]);
    expect(harness.counters.snapshot().stale).toEqual({ "": 1 });
  });

  it("is not needed where a later message shows the hole: readers are given their own range [ATT-3]", () => {
    let deaf = false;
    const harness = createHarness({}, (memory) => ({
      ...memory,
      subscribe: (spec, listener) =>
        memory.subscribe(spec, (epoch, entries) => {
          if (!deaf) listener(epoch, entries);
        }),
    }));
    const { probe, reader } = open(harness);
    attach(reader, "a");
    harness.publish("a", "one");
    harness.clock.turn();
    deaf = true;
    harness.publish("a", "two");
    deaf = false;
    harness.publish("a", "three");
    harness.clock.turn();
    expect(probe.takeLog()).toEqual(["1:one", "2:two", "3:three"]);
  });

  it("tells readers that their channel is stale while the broker does not answer", async () => {
    const harness = createHarness({}, (memory) => ({
      ...memory,
      heads: () => Promise.reject(new Error("no contact")),
    }));
    const { probe, reader } = open(harness);
    attach(reader, "a");
    harness.clock.advance(21_000);
    await Promise.resolve();
    await Promise.resolve();
    expect(probe.takeLog()).toContain("stale");
  });
});
