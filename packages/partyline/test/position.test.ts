import { describe, expect, it } from "vitest";
import { createClient } from "../src/client/index.ts";
import { startLineRig } from "./support/line-rig.ts";

describe("a server's channel", () => {
  it("has a position from which a client misses nothing, before anybody has used it", async () => {
    await using rig = await startLineRig({ retention: { count: 2 } });
    const since = await rig.server.channel("a").position();
    expect(since).toMatch(/:0$/);
    expect(await rig.server.channel("a").position()).toBe(since);
    await rig.publish("1", "2");
    await using client = createClient(rig.url);
    const messages = client.channel<string>("a", { since }).messages();
    expect([(await messages.next()).value?.data, (await messages.next()).value?.data]).toEqual(["1", "2"]);
  });

  it("tells a client that comes back to that position too late what it has missed", async () => {
    await using rig = await startLineRig({ retention: { count: 2 } });
    const since = await rig.server.channel("a").position();
    await rig.publish("1", "2", "3");
    await using client = createClient(rig.url);
    await expect(client.channel<string>("a", { since }).messages().next()).rejects.toMatchObject({
      gap: { reason: "retention", lost: 1 },
    });
  });

  it("has the position of its newest message, as the broker says", async () => {
    await using rig = await startLineRig();
    const { position } = await rig.server.channel("a").publish("1");
    expect(await rig.server.channel("a").position()).toBe(position);
    await expect(rig.server.channel("a//b").position()).rejects.toMatchObject({ code: "bad-name" });
  });

  it("gives a snapshot the position that it had before the data was read", async () => {
    await using rig = await startLineRig();
    const { position } = await rig.server.channel("a").publish("1");
    const load = async (): Promise<string> => {
      await rig.publish("2");
      return "1 and 2";
    };
    expect(await rig.server.channel("a").snapshot(load)).toEqual({ state: "1 and 2", position });
  });

  it("gives a snapshot the position that its data carries", async () => {
    await using rig = await startLineRig();
    const channel = rig.server.channel("a");
    const start = await channel.position();
    const { position } = await channel.publish("1");
    await rig.publish("2");
    const of = async (own: string | null | undefined): Promise<string> =>
      (
        await channel.snapshot(
          () => "row",
          () => own,
        )
      ).position;
    expect(await of(position)).toBe(position);
    expect(await of(undefined)).toBe(start);
    expect(await of(null)).toBe(start);
    await expect(of("7")).rejects.toMatchObject({ code: "bad-position" });
    // The log begins anew: nothing of its new life is in the row.
    rig.broker.forget("a");
    const { position: next } = await channel.publish("3");
    expect(await of(position)).toBe(next.replace(":1", ":0"));
  });
});
