import { describe, expect, it } from "vitest";
import type { DroppedPublish } from "./channel-types.ts";
import type { ClientOptions } from "./client-types.ts";
import { createClientRig } from "../testing/client-rig.ts";

const EPOCH = "0mhlk2v9q7xa";

describe("publishing", () => {
  it("carries an id of 22 characters, and the time of the first attempt by the broker's clock", async () => {
    const rig = createClientRig();
    const channel = rig.client.channel("a");
    void channel.publish({ text: "hi" }, { key: "k" }).catch(() => undefined);
    rig.clock.advance(500);
    const [, publish] = await rig.welcome();
    expect(publish).toMatchObject({
      t: "publish",
      n: 1,
      channel: "a",
      kind: "json",
      key: "k",
      data: { text: "hi" },
    });
    expect(publish?.["id"]).toMatch(/^[A-Za-z0-9_-]{22}$/);
    expect(publish?.["at"]).toBe(1_000_000);
    rig.clock.advance(300);
    void channel.publish(2).catch(() => undefined);
    expect(rig.socket.take()).toMatchObject([{ n: 2, at: 1_000_300 }]);
    rig.socket.close(1006);
    rig.clock.advance(250);
    expect((await rig.welcome()).slice(1)).toMatchObject([{ at: 1_000_000 }, { at: 1_000_300 }]);
  });

  it("sends text and binary by kind", async () => {
    const rig = createClientRig();
    await rig.welcome();
    const channel = rig.client.channel("a");
    void channel.publish("plain", { kind: "text" }).catch(() => undefined);
    void channel.publish(new Uint8Array([0, 1, 2])).catch(() => undefined);
    expect(rig.socket.take()).toMatchObject([
      { kind: "text", data: "plain" },
      { kind: "binary", data: "AAEC" },
    ]);
    await rig.client.close();
  });

  it("refuses what is not a message of its kind, and what is too large", async () => {
    const rig = createClientRig();
    await rig.welcome();
    const channel = rig.client.channel("a");
    await expect(channel.publish(undefined)).rejects.toMatchObject({ code: "bad-json" });
    await expect(channel.publish(1, { kind: "text" })).rejects.toMatchObject({ code: "bad-json" });
    await expect(channel.publish("x", { kind: "binary" })).rejects.toMatchObject({ code: "bad-json" });
    await expect(channel.publish("ä".repeat(32_769), { kind: "text" })).rejects.toMatchObject({
      code: "too-large",
    });
  });

  it("waits in a bounded queue while there is no connection, in messages and in bytes", async () => {
    const rig = createClientRig({ pendingPublishes: 2, pendingBytes: 1_000 });
    const waiting = [rig.client.channel("a").publish(1), rig.client.channel("b").publish(2)];
    const overload = { code: "overloaded", remedy: expect.stringMatching(/./) as string };
    await expect(rig.client.channel("a").publish(3)).rejects.toMatchObject(overload);
    await rig.client.close();
    await Promise.allSettled(waiting);

    const other = createClientRig({ pendingBytes: 1_000 });
    await expect(other.client.channel("a").publish("x".repeat(1_000))).rejects.toMatchObject(overload);
  });

  it("refuses within its time or ends, and leaves no timer behind", async () => {
    const rig = createClientRig({ publishTtl: 5_000 });
    const channel = rig.client.channel("a");
    await rig.welcome();
    const timers = rig.clock.timers;
    const short = channel.publish("short", { ttl: 1_000 });
    const long = channel.publish("long");
    const deleted = channel.delete("k", { ttl: 2_000 });
    const stored = channel.publish("stored");
    rig.socket.say({ t: "result", n: 4, position: `${EPOCH}:1` });
    await stored;
    const failed = Promise.allSettled([short, long, deleted]);
    rig.clock.advance(1_000);
    expect(channel.pending.map(({ data }) => data)).toEqual(["long", undefined]);
    rig.clock.advance(4_000);
    expect(await failed).toMatchObject(
      Array.from({ length: 3 }, () => ({ reason: { code: "uncertain", cause: { code: "expired" } } })),
    );
    expect(channel.pending).toEqual([]);
    expect(rig.clock.timers).toBe(timers);
  });

  it("is given up after a sleep in which no timer ran, before it is sent", async () => {
    const rig = createClientRig();
    const old = rig.client.channel("a").publish("old", { ttl: 60_000 });
    const young = rig.client.channel("a").publish("young", { ttl: 3_700_000 });
    rig.pace.date += 3_600_000;
    expect((await rig.welcome()).slice(1)).toMatchObject([{ data: "young" }]);
    await expect(old).rejects.toMatchObject({ code: "expired" });
    await Promise.all([rig.client.close(), expect(young).rejects.toMatchObject({ code: "closed" })]);
  });

  it("rounds its time to milliseconds", async () => {
    const rig = createClientRig();
    const slow = rig.client.channel("a").publish(1, { ttl: 1000.6 });
    expect(rig.client.channel("a").pending).toMatchObject([{ until: 1001 + rig.pace.date }]);
    rig.clock.advance(1001);
    await expect(slow).rejects.toMatchObject({ code: "expired" });
  });

  it("waits longer than a timer can", async () => {
    const rig = createClientRig();
    const month = 30 * 24 * 3_600_000;
    const slow = rig.client.channel("a").publish(1, { ttl: month });
    rig.clock.advance(1_000);
    expect(rig.client.channel("a").pending).toMatchObject([{ until: month + rig.pace.date }]);
    rig.pace.date += month;
    await rig.welcome();
    await expect(slow).rejects.toMatchObject({ code: "expired" });
  });

  it("shows what is pending, with its state and its times", async () => {
    const rig = createClientRig();
    const channel = rig.client.channel("a");
    const began = rig.pace.date;
    void channel.publish({ text: "hi" }, { id: "one", key: "k" }).catch(() => undefined);
    rig.clock.advance(10);
    void channel.delete("k", { id: "two", ttl: 60_000 }).catch(() => undefined);
    const one = { channel: "a", id: "one", key: "k", kind: "json", data: { text: "hi" }, size: 13 };
    const two = { channel: "a", id: "two", key: "k", kind: "deleted", data: undefined, size: 0 };
    expect(channel.pending).toMatchObject([
      { ...one, state: "waiting", attempts: 0, since: began, until: Infinity },
      { ...two, state: "waiting", attempts: 0, since: began + 10, until: began + 60_010 },
    ]);
    await rig.welcome();
    expect(channel.pending).toMatchObject([{ state: "sent" }, { state: "sent", attempts: 1 }]);
    rig.socket.say({ t: "error", n: 1, code: "rate-limited", message: "", remedy: "" });
    expect(channel.pending).toMatchObject([{ state: "waiting" }, { state: "sent" }]);
    rig.socket.close(1006);
    rig.clock.advance(250);
    await rig.welcome();
    expect(channel.pending).toMatchObject([
      { state: "sent", attempts: 2 },
      { state: "uncertain", attempts: 2 },
    ]);
    await rig.client.close();
  });

  it("to an ephemeral channel fails at once without a connection, and is never sent later [KEEP-14]", async () => {
    const rig = createClientRig();
    const channel = rig.client.channel("a", { keep: "nothing" });
    await expect(channel.publish(1)).rejects.toMatchObject({ code: "offline" });
    expect((await rig.welcome()).filter(({ t }) => t === "publish")).toEqual([]);
  });

  it("deletes a key", async () => {
    const rig = createClientRig();
    await rig.welcome();
    const deleted = rig.client.channel("a").delete("k");
    expect(rig.socket.take()).toMatchObject([{ t: "delete", n: 1, channel: "a", key: "k" }]);
    rig.socket.say({ t: "result", n: 1, position: `${EPOCH}:1` });
    expect(await deleted).toEqual({ position: `${EPOCH}:1`, duplicate: false });
  });
});

describe("what is given up", () => {
  /** A rig, and what its client told as dropped. */
  const droppingRig = (options: ClientOptions = {}) => {
    const told: DroppedPublish[] = [];
    const rig = createClientRig(options);
    rig.client.on("dropped", (dropped) => told.push(dropped));
    const lines = (): unknown[] =>
      told.map(({ publish, reason }) => [publish.data, reason?.code ?? "superseded", publish.state]);
    return { ...rig, rig, told, lines };
  };
  const ignore = (...publishes: Promise<unknown>[]): void => void Promise.allSettled(publishes);

  it("is told to the client, whatever ended it", async () => {
    const { rig, lines } = droppingRig({ pendingPublishes: 4 });
    const values = rig.client.channel("values", { keep: "latest" });
    const cursors = rig.client.channel("cursors", { keep: "nothing" });
    const chat = rig.client.channel("chat");
    ignore(cursors.publish("offline"), values.publish("superseded", { key: "k" }));
    ignore(values.publish("stored", { key: "k" }), chat.publish("expired", { ttl: 100 }));
    await rig.settle();
    rig.clock.advance(100);
    await rig.welcome();
    rig.socket.say({ t: "result", n: 1, position: `${EPOCH}:1` });
    ignore(chat.publish("refused"), chat.publish("x".repeat(70_000)));
    rig.socket.say({ t: "error", n: 2, code: "forbidden", message: "", remedy: "" });
    ignore(chat.publish(1), chat.publish("late", { ttl: 10 }), cursors.publish("cut"), chat.publish(2));
    ignore(chat.publish("overloaded"));
    rig.clock.advance(10);
    rig.socket.close(1006);
    await rig.client.close();
    ignore(chat.publish("closed"));
    expect(lines()).toEqual([
      ["offline", "offline", "waiting"],
      ["superseded", "superseded", "waiting"],
      ["expired", "expired", "waiting"],
      ["x".repeat(70_000), "too-large", "waiting"],
      ["refused", "forbidden", "waiting"],
      ["overloaded", "overloaded", "waiting"],
      ["late", "uncertain", "sent"],
      ["cut", "offline", "sent"],
      [1, "closed", "sent"],
      [2, "closed", "sent"],
      ["closed", "closed", "waiting"],
    ]);
  });

  it("is told by an event too, and a listener that throws is reported", async () => {
    const { rig, told } = droppingRig();
    const events: DroppedPublish[] = [];
    rig.client.on("dropped", () => {
      throw new Error("mine");
    });
    rig.client.on("dropped", (dropped) => events.push(dropped));
    const publish = rig.client.channel("a").publish(1);
    await rig.client.close();
    await expect(publish).rejects.toMatchObject({ code: "closed" });
    expect(events).toEqual(told);
    expect(rig.reported).toMatchObject([{ message: "mine" }]);
  });
});
