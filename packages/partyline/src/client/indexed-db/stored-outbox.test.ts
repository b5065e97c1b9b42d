import { describe, expect, it } from "vitest";
import { type ClientRig, createClientRig } from "../../testing/client-rig.ts";
import { createScriptedDisk, type ScriptedDisk } from "../../testing/scripted-disk.ts";
import type { Frame } from "../../testing/scripted-websocket.ts";
import type { DroppedPublish, PendingPublish } from "../channel-types.ts";
import { storedOutbox } from "./stored-outbox.ts";

const EPOCH = "0mhlk2v9q7xa";
const ignore = (...publishes: Promise<unknown>[]): void => void Promise.allSettled(publishes);
const publishesIn = (frames: readonly Frame[]): Frame[] =>
  frames.filter(({ t }) => t === "publish" || t === "delete");
const idsOf = (frames: readonly Frame[]): unknown[] => publishesIn(frames).map(({ id }) => id);

interface Page extends ClientRig {
  readonly rig: ClientRig;
  readonly restored: PendingPublish[];
  readonly errors: unknown[];
  readonly dropped: DroppedPublish[];
  /** Publishes under an id that is the text as well. */
  publish(id: string): void;
  /** The page is gone, without a word. */
  end(): void;
}

/** Opens pages one after the other, each a minute later. */
function pages(disk: ScriptedDisk) {
  let start = 0;
  return async ({ isHeard = true, settled = true } = {}): Promise<Page> => {
    start += 60_000;
    const restored: PendingPublish[] = [];
    const errors: unknown[] = [];
    const dropped: DroppedPublish[] = [];
    const store = disk.page();
    const outbox = storedOutbox(store, {
      onRestored: (publishes) => restored.push(...publishes),
      onError: (error) => errors.push((error as Error).cause),
    });
    const rig = createClientRig({ outbox }, new Map(), start);
    if (isHeard) rig.client.on("dropped", (publish) => dropped.push(publish));
    if (settled) await rig.settle();
    return {
      ...rig,
      rig,
      get socket() {
        return rig.socket;
      },
      restored,
      errors,
      dropped,
      publish: (id) => ignore(rig.client.channel("a").publish(id, { id })),
      end: () => store.end(),
    };
  };
}

describe("a stored outbox", () => {
  it("sends what an earlier page left, under the same ids and in order, before anything newer [PUB-9]", async () => {
    const open = pages(createScriptedDisk());
    const first = await open();
    for (const id of ["one", "two", "three"]) first.publish(id);
    await first.settle();
    first.end();
    const second = await open({ settled: false });
    second.publish("four");
    const sent = [...(await second.welcome()), ...(await second.settle(), second.socket.take())];
    expect(idsOf(sent)).toEqual(["one", "two", "three", "four"]);
    expect(publishesIn(sent).map(({ data }) => data)).toEqual(["one", "two", "three", "four"]);
    expect(second.restored.map(({ id }) => id)).toEqual(["one", "two", "three"]);
    expect(second.client.channel("a").pending).toMatchObject([
      { id: "one", state: "sent", since: 1_700_000_060_000 },
      { id: "two" },
      { id: "three" },
      { id: "four" },
    ]);
  });

  it("sends what an older version stored under another spelling of the channel's name [NAME-4]", async () => {
    const disk = createScriptedDisk();
    const old = { queue: "0-old", order: 0, channel: "cafe\u0301", id: "one", since: 1, at: 0 };
    await disk.page().put([{ ...old, fields: '"kind":"json","channel":"cafe\u0301","id":"one","data":1' }]);
    const page = await pages(disk)();
    expect(page.client.channel("caf\u00e9").pending).toMatchObject([{ id: "one", channel: "caf\u00e9" }]);
    expect(publishesIn(await page.welcome())).toMatchObject([{ channel: "caf\u00e9", id: "one", data: 1 }]);
  });

  it("keeps bytes of any kind while earlier publishes are loaded, and refuses what has no JSON form [MSG-12]", async () => {
    const disk = createScriptedDisk();
    disk.mode = "held";
    const page = await pages(disk)({ settled: false });
    const channel = page.client.channel<unknown>("a");
    const buffer = Uint8Array.of(1, 2).buffer;
    ignore(channel.publish(buffer));
    const refused = channel.publish(new Map());
    new Uint8Array(buffer)[0] = 9;
    disk.mode = "ok";
    await expect(refused).rejects.toMatchObject({ code: "bad-json" });
    expect(page.dropped).toMatchObject([{ publish: { data: new Map() } }]);
    expect(publishesIn(await page.welcome())).toMatchObject([{ kind: "binary", data: "AQI=" }]);
  });

  it("keeps the time of the first attempt, by which the server knows a repeat from a first one [PUB-5]", async () => {
    const open = pages(createScriptedDisk());
    const first = await open();
    await first.welcome();
    first.publish("sent");
    const [{ at } = {}] = publishesIn(first.socket.take());
    expect(at).toBe(1_000_000);
    await first.settle();
    first.end();
    const second = await open();
    second.clock.advance(5_000);
    expect(publishesIn(await second.welcome())).toMatchObject([{ id: "sent", at }]);
    expect(second.client.channel("a").pending).toMatchObject([{ state: "uncertain", attempts: 2 }]);
  });

  it("sends what was never sent with the time of now, and not before the store has that", async () => {
    const disk = createScriptedDisk();
    const open = pages(disk);
    const page = await open();
    page.publish("one");
    await page.settle();
    expect(disk.records).toMatchObject([{ id: "one", at: 0 }]);
    disk.mode = "held";
    expect(idsOf(await page.welcome())).toEqual([]);
    page.publish("two");
    disk.mode = "ok";
    await page.settle();
    expect(publishesIn(page.socket.take())).toMatchObject([
      { id: "one", at: 1_000_000 },
      { id: "two", at: 1_000_000 },
    ]);
    expect(disk.records).toMatchObject([
      { id: "one", at: 1_000_000 },
      { id: "two", at: 1_000_000 },
    ]);
  });

  it("does not wait for the store where there is a connection", async () => {
    const disk = createScriptedDisk();
    const page = await pages(disk)();
    await page.welcome();
    disk.mode = "held";
    page.publish("one");
    expect(idsOf(page.socket.take())).toEqual(["one"]);
  });

  it("forgets what is settled", async () => {
    const disk = createScriptedDisk();
    const page = await pages(disk)();
    await page.welcome();
    for (const id of ["stored", "refused", "closed"]) page.publish(id);
    page.socket.say({ t: "result", n: 1, position: `${EPOCH}:1` });
    page.socket.say({ t: "error", n: 2, code: "forbidden", message: "", remedy: "" });
    await page.settle();
    expect(disk.records).toMatchObject([{ id: "closed" }]);
    await page.client.close();
    await page.settle();
    page.clock.advance(1);
    await page.settle();
    expect(disk.records).toEqual([]);
    expect(page.errors).toEqual([]);
  });

  it("tells a refusal when no later page can send the publish, and not before", async () => {
    const disk = createScriptedDisk();
    const open = pages(disk);
    const first = await open();
    await first.welcome();
    first.publish("one");
    let rejected = false;
    const two = first.client.channel("a").publish("two", { id: "two" });
    two.catch(() => (rejected = true));
    await first.settle();
    disk.mode = "held";
    // What was behind a refusal is sent again.
    for (const n of [1, 3]) first.socket.say({ t: "error", n, code: "invalid", message: "", remedy: "" });
    await first.settle();
    expect([first.dropped, rejected]).toEqual([[], false]);
    expect(first.client.channel("a").pending).toEqual([]);
    disk.mode = "ok";
    await first.settle();
    expect(disk.records).toEqual([]);
    expect(first.dropped).toMatchObject([
      { publish: { id: "one" }, reason: { code: "invalid" } },
      { publish: { id: "two" }, reason: { code: "invalid" } },
    ]);
    await expect(two).rejects.toMatchObject({ code: "invalid" });
  });

  it("sends again what a page that ended was not told the refusal of", async () => {
    const disk = createScriptedDisk();
    const open = pages(disk);
    const first = await open();
    await first.welcome();
    first.publish("one");
    await first.settle();
    disk.mode = "held";
    first.socket.say({ t: "error", n: 1, code: "invalid", message: "", remedy: "" });
    await first.settle();
    first.end();
    disk.mode = "ok";
    await first.settle();
    expect(first.dropped).toEqual([]);
    const second = await open();
    expect(idsOf(await second.welcome())).toEqual(["one"]);
  });

  it("tells a refusal also if the store fails, or takes no end", async () => {
    for (const mode of ["broken", "held"] as const) {
      const disk = createScriptedDisk();
      const page = await pages(disk)();
      await page.welcome();
      page.publish("one");
      await page.settle();
      disk.mode = mode;
      page.socket.say({ t: "error", n: 1, code: "invalid", message: "", remedy: "" });
      await page.settle();
      page.clock.advance(2_000);
      await page.settle();
      expect(page.dropped).toMatchObject([{ publish: { id: "one" }, reason: { code: "invalid" } }]);
      expect(page.errors).toHaveLength(1);
    }
  });

  it("tells that a restored publish is refused at once when it is removed", async () => {
    const disk = createScriptedDisk();
    const open = pages(disk);
    const first = await open();
    for (const id of ["one", "two"]) first.publish(id);
    await first.settle();
    first.end();
    // There is room for none.
    const rig = createClientRig({
      outbox: storedOutbox(disk.page()),
      pendingPublishes: 0,
    });
    const told: unknown[] = [];
    rig.client.on("dropped", ({ publish, reason }) => {
      told.push([publish.id, reason?.code, disk.records.length]);
    });
    await rig.settle();
    expect(told.map((each) => (each as unknown[]).slice(0, 2))).toEqual([
      ["one", "overloaded"],
      ["two", "overloaded"],
    ]);
    expect(disk.records).toEqual([]);
    await rig.client.close();
  });

  it("tells what becomes of a restored publish that is given up, and that it may be stored", async () => {
    const open = pages(createScriptedDisk());
    const first = await open();
    first.publish("unsent");
    ignore(first.client.channel("a").publish("short", { id: "short", ttl: 61_000 }));
    await first.settle();
    first.end();
    const second = await open();
    second.clock.advance(1_000);
    await second.settle();
    expect(second.dropped).toMatchObject([{ publish: { data: "short" }, reason: { code: "expired" } }]);
    expect(idsOf(await second.welcome())).toEqual(["unsent"]);
    await second.settle();
    second.end();
    const third = await open();
    await third.welcome();
    third.socket.say({ t: "error", n: 1, code: "forbidden", message: "", remedy: "" });
    await third.settle();
    expect(third.dropped).toMatchObject([
      {
        publish: { data: "unsent", state: "uncertain" },
        reason: { code: "uncertain", cause: { code: "forbidden" } },
      },
    ]);
  });

  it("reports a restored publish that is given up where nobody listens", async () => {
    const open = pages(createScriptedDisk());
    const first = await open();
    first.publish("one");
    await first.settle();
    first.end();
    const second = await open({ isHeard: false });
    await second.client.close();
    await second.settle();
    expect(second.reported).toMatchObject([{ code: "closed" }]);
  });

  it("restores bytes, texts, keys and deletions as they were", async () => {
    const open = pages(createScriptedDisk());
    const first = await open();
    const channel = first.client.channel("a");
    ignore(
      channel.publish(new Uint8Array([0, 255]), { id: "bytes" }),
      channel.publish("text", { id: "text", kind: "text", key: "" }),
      channel.publish({ 2: [1e21, "ä\u2028"], 1: null }, { id: "json", key: "k" }),
      channel.delete("k", { id: "gone" }),
    );
    await first.settle();
    const sent = publishesIn([...(await first.welcome()), ...first.socket.take()]);
    await first.settle();
    first.end();
    const second = await open();
    const again = publishesIn([...(await second.welcome()), ...second.socket.take()]);
    // Other bytes under the same id would be refused.
    expect(again).toEqual(sent.map((frame) => ({ ...frame, n: expect.any(Number) as number })));
    expect(again).toHaveLength(4);
    expect(second.restored[0]?.data).toEqual(new Uint8Array([0, 255]));
  });

  it("does not let a newer value replace one that an earlier page has sent [KEEP-15]", async () => {
    const open = pages(createScriptedDisk());
    const first = await open();
    await first.welcome();
    ignore(first.client.channel("a", { keep: "latest" }).publish(1, { id: "old", key: "k" }));
    await first.settle();
    first.end();
    const second = await open();
    ignore(second.client.channel("a", { keep: "latest" }).publish(2, { id: "new", key: "k" }));
    expect(idsOf(await second.welcome())).toEqual(["old", "new"]);
  });

  it("keeps nothing of a channel whose messages do not wait [KEEP-14]", async () => {
    const disk = createScriptedDisk();
    const page = await pages(disk)();
    await page.welcome();
    ignore(page.client.channel("a", { keep: "nothing" }).publish(1));
    await page.settle();
    expect(disk.records).toEqual([]);
    expect(publishesIn(page.socket.take())).toHaveLength(1);
  });

  it("leaves to another page what that has, and takes it when that is gone", async () => {
    const open = pages(createScriptedDisk());
    const first = await open();
    first.publish("one");
    await first.settle();
    const second = await open();
    await second.welcome();
    expect(second.restored).toEqual([]);
    first.end();
    await second.settle();
    expect(publishesIn(second.socket.take())).toMatchObject([{ id: "one", at: 1_000_000 }]);
    expect(second.restored).toMatchObject([{ id: "one" }]);
  });

  it("publishes without a store that is broken, and tells it once", async () => {
    const disk = createScriptedDisk();
    disk.mode = "broken";
    const page = await pages(disk)();
    page.publish("one");
    await page.welcome();
    page.publish("two");
    await page.settle();
    expect(page.errors).toMatchObject([{ message: "The disk is broken." }]);
    expect(page.client.channel("a").pending.map(({ id, state }) => [id, state])).toEqual([
      ["one", "sent"],
      ["two", "sent"],
    ]);
  });

  it("does not wait for ever for a store that does not answer", async () => {
    const disk = createScriptedDisk();
    disk.mode = "held";
    const page = await pages(disk)();
    page.publish("one");
    await page.welcome();
    expect(page.client.channel("a").pending).toEqual([]);
    page.clock.advance(2_000);
    await page.settle();
    page.clock.advance(2_000);
    await page.settle();
    expect(idsOf(page.socket.take())).toEqual(["one"]);
    expect(page.errors).toMatchObject([{ message: "The store took more than 2000 ms." }]);
  });
});
