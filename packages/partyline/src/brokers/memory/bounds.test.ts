import { beforeEach, afterEach, describe, expect, it } from "vitest";
import type { ChannelSpec, NewMessage } from "../../core/ports.ts";
import { encodeText, type Keep } from "../../protocol/message.ts";
import { createMemoryBroker, type MemoryBroker } from "./memory-broker.ts";

const HOUR = 3_600_000;
const WHOLE = { messages: 1000, bytes: 1e6 };

function spec(name: string, keep: Keep = "history"): ChannelSpec {
  return { name, keep, retention: { count: 100, bytes: 1e6, age: HOUR }, maxKeys: 10, idleAge: 24 * HOUR };
}

describe("the bytes of all channels of a memory broker", () => {
  let broker: MemoryBroker;
  const shortened: string[] = [];

  beforeEach(() => {
    shortened.length = 0;
    broker = createMemoryBroker({
      maxBytes: 10_000,
      onShortened: (channel, bytes) => shortened.push(`${channel} ${bytes}`),
    });
  });
  afterEach(() => broker.close());

  /** Publishes 900 bytes, which cost 1 000; says why not if they are refused. */
  function publish(name: string, keep: Keep = "history", changes: Partial<NewMessage> = {}): string {
    const message = { kind: "binary" as const, id: undefined, at: undefined, key: undefined };
    const outcome = broker.append(spec(name, keep), [{ ...message, data: new Uint8Array(900), ...changes }]);
    return outcome.is === "stored" ? "stored" : outcome.error.code;
  }

  const kept = (name: string): number =>
    broker.read(spec(name), { at: "earliest" }, WHOLE)?.entries.length ?? -1;

  function follow(name: string, keep: Keep = "history"): void {
    broker.subscribe(spec(name, keep), () => undefined);
  }

  it("are those of messages, with their ids and keys, and of known ids", () => {
    publish("a");
    expect(broker.bytes).toBe(1_000);
    publish("a", "history", { id: "one", key: "key" });
    expect(broker.bytes).toBe(2_006 + 163);
    broker.forget("a");
    expect(broker.bytes).toBe(0);
  });

  it("are bounded by the histories of channels that nobody listens to, longest idle first [KEEP-18]", () => {
    follow("followed");
    for (const name of ["followed", "a", "b", "a"]) publish(name);
    for (let count = 0; count < 8; count++) publish("c");
    expect(shortened).toEqual(["b 1000"]);
    publish("c");
    expect(shortened).toEqual(["b 1000", "a 2000"]);
    expect([kept("followed"), kept("a"), kept("b"), kept("c")]).toEqual([1, 0, 0, 9]);
  });

  it("that are dropped are a gap, and the channel goes on at its position [KEEP-18]", () => {
    const before = broker.append(spec("a"), [
      { kind: "text", id: undefined, at: undefined, key: undefined, data: encodeText("a") },
    ]);
    const position = before.is === "stored" ? before.results[0]?.position : undefined;
    for (let count = 0; count < 11; count++) publish("b");
    publish("a");
    const since = { at: "position", position: { epoch: position?.epoch ?? "", offset: 0 } } as const;
    expect(broker.read(spec("a"), since, WHOLE)).toMatchObject({
      gap: { reason: "retention", lost: 1 },
      head: 2,
      entries: [{ offset: 2 }],
    });
  });

  it("are bounded by the oldest messages of the channel itself if no other is idle [KEEP-18]", () => {
    const told: number[] = [];
    broker.subscribe(spec("a"), (_epoch, entries) => told.push(entries.length));
    for (let count = 0; count < 30; count++) expect(publish("a")).toBe("stored");
    // One batch more than the bound.
    expect(kept("a")).toBe(11);
    expect(broker.bytes).toBeLessThanOrEqual(11_000);
    // The empty batches say that the log was shortened out of turn.
    expect(told.filter((count) => count === 0)).toHaveLength(shortened.length);
  });

  it("are bounded by refusals where there is nothing that may go, until there is room [LIM-5]", () => {
    for (let key = 0; key < 9; key++) publish("state", "latest", { key: String(key) });
    follow("a");
    expect(publish("a")).toBe("stored");
    expect(publish("b")).toBe("overloaded");
    expect(publish("state", "latest", { key: "8" })).toBe("overloaded");
    const deletion = { kind: "deleted", data: new Uint8Array(0) } as const;
    for (const key of ["0", "1"]) expect(publish("state", "latest", { key, ...deletion })).toBe("stored");
    expect(publish("b")).toBe("stored");
    expect(shortened).toEqual([]);
  });

  it("are bounded by the ids of channels that keep nothing [KEEP-18]", () => {
    for (let count = 0; count < 100; count++) publish("a", "nothing", { id: `id-${count}` });
    expect(broker.bytes).toBeLessThanOrEqual(10_200);
    publish("b");
    expect(broker.bytes).toBeLessThanOrEqual(1_000);
    expect(publish("a", "nothing", { id: "id-0", at: 1 })).toBe("uncertain");
  });
});
