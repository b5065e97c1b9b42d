import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Broker, NewMessage } from "../../core/ports.ts";
import { encodeText, type Keep } from "../../protocol/message.ts";
import { brokerSuite } from "../../testing/broker-suite.ts";
import { createMemoryBroker, type MemoryBroker } from "./memory-broker.ts";
import { SLAB_BYTES } from "../own-bytes.ts";

brokerSuite(
  { describe, it },
  {
    name: "memory",
    create() {
      let clock = Date.UTC(2026, 10, 23);
      const broker = createMemoryBroker({ now: () => clock });
      return {
        broker,
        advance: (milliseconds) => void (clock += milliseconds),
        forget: (name) => broker.forget(name),
      };
    },
    forAll: (check) =>
      fc.assert(fc.asyncProperty(fc.array(fc.maxSafeNat(), { maxLength: 80, size: "max" }), check), {
        numRuns: 300,
      }),
  },
);

const HOUR = 3_600_000;
const EARLIEST = { at: "earliest" } as const;
const WHOLE = { messages: 1000, bytes: 1e6 };

function spec(name: string, keep: Keep = "history"): Parameters<Broker["append"]>[0] {
  return { name, keep, retention: { count: 100, bytes: 1e6, age: HOUR }, maxKeys: 10, idleAge: 24 * HOUR };
}

function message(text: string, changes: Partial<NewMessage> = {}): NewMessage {
  return { kind: "text", id: undefined, at: undefined, key: undefined, data: encodeText(text), ...changes };
}

describe("the memory broker", () => {
  let clock = 0;
  let broker: MemoryBroker;
  const publish = (name: string, keep: Keep = "history"): string => {
    const outcome = broker.append(spec(name, keep), [message("m")]);
    if (outcome.is === "refused") return outcome.error.code;
    return outcome.results[0]?.position.epoch ?? "";
  };
  const isThere = (name: string): boolean => broker.heads([name])[0] !== undefined;

  beforeEach(() => {
    vi.useFakeTimers();
    clock = Date.UTC(2026, 10, 23);
    broker = createMemoryBroker({ now: () => clock, maxChannels: 3 });
  });

  afterEach(() => {
    broker.close();
    vi.useRealTimers();
  });

  it("answers everything at once", () => {
    const subscription = broker.subscribe(spec("a"), () => undefined);
    const outcome = broker.append(spec("a"), [message("m")]);
    expect(outcome).toMatchObject({ is: "stored", results: [{ position: { offset: 1 }, duplicate: false }] });
    expect(broker.read(spec("a"), EARLIEST, WHOLE)).toMatchObject({ head: 1, remaining: 1 });
    expect(broker.heads(["a"])).toMatchObject([{ oldest: 1 }]);
    expect(subscription.head.offset).toBe(0);
  });

  it("says what it promises", () => {
    expect(broker.capabilities).toEqual({ name: "memory", stored: "memory", shared: false });
  });

  it("drops the channel that was idle longest when there is one too many", () => {
    for (const name of ["a", "b", "c"]) publish(name);
    publish("a");
    publish("d");
    expect(["a", "b", "c", "d"].map(isThere)).toEqual([true, false, true, true]);
  });

  it("counts a channel as idle from when its last listener left", () => {
    for (const name of ["a", "b", "c"]) publish(name);
    const subscriptions = [1, 2].map(() => broker.subscribe(spec("a"), () => undefined));
    subscriptions[0]?.close();
    publish("d");
    subscriptions[1]?.close();
    publish("e");
    expect(["a", "b", "c", "d", "e"].map(isThere)).toEqual([true, false, false, true, true]);
  });

  it("refuses a channel more when all are listened to", () => {
    for (const name of ["a", "b", "c"]) broker.subscribe(spec(name), () => undefined);
    expect(publish("d")).toBe("overloaded");
    expect(() => broker.subscribe(spec("d"), () => undefined)).toThrow(
      expect.objectContaining({ code: "overloaded", retryable: true }),
    );
    expect(publish("a")).toMatch(/^[0-9a-z]{12}$/);
  });

  it("ends the life of an idle channel when its last message has been gone for the idle age", () => {
    const epoch = publish("a");
    clock += 25 * HOUR;
    expect(isThere("a")).toBe(true);
    clock += 1;
    expect(isThere("a")).toBe(false);
    expect(broker.read(spec("a"), EARLIEST, WHOLE)).toBeUndefined();
    expect(publish("a") > epoch).toBe(true);
  });

  it("ends the life of an ephemeral channel without waiting for its age", () => {
    publish("a", "nothing");
    clock += 24 * HOUR;
    expect(isThere("a")).toBe(true);
    clock += 1;
    expect(isThere("a")).toBe(false);
  });

  it("keeps no channel that was never published to, once nobody listens [KEEP-19]", () => {
    const { head } = broker.subscribe(spec("a"), () => undefined);
    expect(isThere("a")).toBe(true);
    for (const name of ["b", "c", "d", "e"]) broker.subscribe(spec(name), () => undefined).close();
    expect(["b", "c", "d", "e"].map(isThere)).toEqual([false, false, false, false]);
    expect(broker.subscribe(spec("a"), () => undefined).head).toEqual(head);
  });

  it("drops an empty channel before one that holds messages, for a channel too many [KEEP-6]", () => {
    publish("a");
    publish("b", "latest");
    publish("c", "nothing");
    for (const name of ["d", "e", "f"]) publish(name);
    expect(["a", "b", "c", "d", "e", "f"].map(isThere)).toEqual([false, true, false, false, true, true]);
  });

  it("counts a channel as empty when its messages are too old [KEEP-6]", () => {
    publish("a");
    publish("b");
    clock += HOUR;
    publish("b");
    clock += 1;
    vi.advanceTimersByTime(1_000);
    publish("c");
    publish("d");
    expect(["a", "b", "c", "d"].map(isThere)).toEqual([false, true, true, true]);
  });

  it("never ends the life of a latest channel that has a value", () => {
    publish("a", "latest");
    publish("b", "latest");
    broker.append(spec("b", "latest"), [message("", { kind: "deleted" })]);
    clock += 1000 * HOUR;
    expect(["a", "b"].map(isThere)).toEqual([true, false]);
  });

  it("begins a new life when a channel is to keep something else", () => {
    const epoch = publish("a");
    expect(publish("a", "latest") > epoch).toBe(true);
    expect(broker.heads(["a"])[0]?.position.offset).toBe(1);
  });

  it("goes by the newest definition", () => {
    for (let count = 0; count < 5; count++) publish("a");
    const narrow = { ...spec("a"), retention: { count: 2, bytes: 1e6, age: HOUR } };
    expect(broker.read(narrow, EARLIEST, WHOLE)?.remaining).toBe(2);
    expect(broker.read(spec("a"), EARLIEST, WHOLE)?.remaining).toBe(2);
  });

  it("pins no chunk of which a message is a view", () => {
    const chunk = new Uint8Array(100_000).fill(7);
    const sizes = [10, 4095, 4096, 65_536];
    for (const [index, size] of sizes.entries())
      broker.append(spec("a"), [message("", { data: chunk.subarray(index, index + size) })]);
    const entries = broker.read(spec("a"), EARLIEST, WHOLE)?.entries ?? [];
    expect(entries.map(({ data }) => data.byteLength)).toEqual(sizes);
    for (const { data } of entries) {
      expect(data.buffer).not.toBe(chunk.buffer);
      expect(data.buffer.byteLength).toBeLessThanOrEqual(Math.max(data.byteLength, SLAB_BYTES));
      expect(new Set(data)).toEqual(new Set([7]));
    }
  });

  it("takes over a large message that is alone in its memory", () => {
    const data = new Uint8Array(50_000);
    broker.append(spec("a"), [message("", { data })]);
    expect(broker.read(spec("a"), EARLIEST, WHOLE)?.entries[0]?.data).toBe(data);
  });

  it("tells all listeners also when one throws, whose error surfaces by itself", () => {
    const tasks: (() => void)[] = [];
    vi.stubGlobal("queueMicrotask", (task: () => void) => tasks.push(task));
    const heard: number[] = [];
    broker.subscribe(spec("a"), () => {
      throw new Error("a fault of the listener");
    });
    broker.subscribe(spec("a"), (_epoch, entries) => heard.push(entries.length));
    publish("a");
    publish("a");
    expect(heard).toEqual([1, 1]);
    expect(tasks).toHaveLength(2);
    expect(tasks[0]).toThrow("a fault of the listener");
  });

  it("drops what a channel keeps without touching its positions, and tells its listeners", () => {
    const epoch = publish("a");
    const heard: number[] = [];
    broker.subscribe(spec("a"), (_epoch, entries) => heard.push(entries.length));
    broker.trim("a");
    expect(broker.read(spec("a"), { at: "position", position: { epoch, offset: 0 } }, WHOLE)).toMatchObject({
      gap: { reason: "retention" },
      entries: [],
      head: 1,
    });
    publish("a");
    expect(heard).toEqual([0, 1]);
    expect(broker.trim("nobody")).toBeUndefined();
  });

  it("forgets a channel that is not there without a word", () => {
    expect(broker.forget("nobody")).toBeUndefined();
    expect(isThere("nobody")).toBe(false);
  });

  describe("sweeping", () => {
    it("gives idle channels back without being asked, and stops when closed", () => {
      publish("a");
      expect(vi.getTimerCount()).toBe(1);
      clock += 26 * HOUR;
      vi.advanceTimersByTime(2000);
      // Full again: had the sweep left `a`, one of these would have pushed it out, and nothing would show.
      for (const name of ["b", "c", "d"]) publish(name);
      expect(["a", "b", "c", "d"].map(isThere)).toEqual([false, true, true, true]);
      broker.close();
      expect(vi.getTimerCount()).toBe(0);
    });

    it("changes no answer", () => {
      publish("a");
      const before = broker.read(spec("a"), EARLIEST, WHOLE);
      vi.advanceTimersByTime(10_000);
      expect(broker.read(spec("a"), EARLIEST, WHOLE)).toEqual(before);
    });
  });
});
