import { describe, expect, it } from "vitest";
import { sendAll } from "./send-all.ts";

/** A server that stores when it is told to. */
function server(): {
  started: number[];
  store: (item: number) => void;
  refuse: (item: number) => void;
  publish: (item: number) => Promise<void>;
} {
  const started: number[] = [];
  const open = new Map<number, { resolve(): void; reject(error: Error): void }>();
  return {
    started,
    store: (item) => open.get(item)?.resolve(),
    refuse: (item) => open.get(item)?.reject(new Error(`refused ${item}`)),
    publish(item) {
      started.push(item);
      return new Promise((resolve, reject) => void open.set(item, { resolve, reject }));
    },
  };
}

/** Lets everything happen that waits for nothing but promises. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("sendAll", () => {
  it("starts publishes in order, and no more at once than allowed", async () => {
    const { started, store, publish } = server();
    const stored: number[] = [];
    const sent = sendAll([1, 2, 3, 4, 5], {
      publish,
      inFlight: 2,
      stored: (count, item) => stored.push(count, item),
    });
    await settle();
    expect(started).toEqual([1, 2]);
    store(2);
    await settle();
    expect(started).toEqual([1, 2, 3]);
    for (const item of [1, 3, 4, 5]) {
      store(item);
      await settle();
    }
    expect(await sent).toBe(5);
    expect(started).toEqual([1, 2, 3, 4, 5]);
    expect(stored).toEqual([1, 2, 2, 1, 3, 3, 4, 4, 5, 5]);
  });

  it("ends at the first refusal, but waits for what is under way", async () => {
    const { started, store, refuse, publish } = server();
    const stored: number[] = [];
    const sent = sendAll([1, 2, 3, 4], { publish, inFlight: 2, stored: (_count, item) => stored.push(item) });
    const outcome = sent.catch((error: unknown) => error);
    await settle();
    refuse(1);
    await settle();
    store(2);
    await settle();
    store(3);
    expect(await outcome).toEqual(new Error("refused 1"));
    expect(started.length).toBeLessThanOrEqual(3);
    expect(stored).toContain(2);
  });

  it("waits for what was started before its items failed", async () => {
    const { store, publish } = server();
    const stored: number[] = [];
    async function* items(): AsyncGenerator<number, void> {
      yield 1;
      await settle();
      throw new Error("line 2");
    }
    const outcome = sendAll(items(), { publish, stored: (_count, item) => stored.push(item) }).catch(
      (error: unknown) => error,
    );
    await settle();
    await settle();
    store(1);
    expect(await outcome).toEqual(new Error("line 2"));
    expect(stored).toEqual([1]);
  });

  it("sends nothing of nothing", async () => {
    expect(await sendAll([], { publish: async () => undefined })).toBe(0);
  });
});
