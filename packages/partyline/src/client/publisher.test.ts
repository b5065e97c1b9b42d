import { describe, expect, it } from "vitest";
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
