import { describe, expect, it } from "vitest";
import { attachedAt, EPOCH, messageAt } from "../testing/client-rig.ts";
import { listening } from "../testing/listening.ts";
import { GapError } from "./errors.ts";

const at = (offset: number, epoch: string = EPOCH): string => `${epoch}:${offset}`;
const gapFields = { from: at(2), to: at(7), reason: "retention", lost: 5 };

describe("a gap", () => {
  it("makes iterators throw behind what they still have, and a new one goes on behind it", async () => {
    const { socket, channel, off } = await listening();
    const iterator = channel.messages();
    off();
    socket.say(messageAt(1), messageAt(2), { t: "gap", c: 3, ...gapFields });
    expect((await iterator.next()).value).toMatchObject({ data: 1 });
    expect((await iterator.next()).value).toMatchObject({ data: 2 });
    const error = await iterator.next().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(GapError);
    expect(error).toMatchObject({ code: "gap", gap: { channel: "a", ...gapFields } });
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    socket.take();
    void channel.messages();
    expect(socket.take()).toEqual([{ t: "attach", n: 3, channel: "a", since: at(7) }]);
  });

  it("is told to its listeners, and messages go on behind it [GAP-6]", async () => {
    const { socket, channel, got, rig } = await listening();
    const told: unknown[] = [];
    channel.on("gap", (gap) => told.push(gap, [...got]));
    socket.say(messageAt(1), messageAt(2), { t: "gap", c: 3, ...gapFields }, messageAt(8), messageAt(9));
    expect(told).toEqual([{ channel: "a", ...gapFields }, [1, 2]]);
    expect(got).toEqual([1, 2, 8, 9]);
    expect(channel.state.status).toBe("attached");
    expect([rig.warned, rig.reported]).toEqual([[], []]);
  });

  it("makes an iterator throw while listeners of messages go on [GAP-6, GAP-7]", async () => {
    const { socket, channel, got, rig } = await listening();
    const iterator = channel.messages();
    socket.say(messageAt(1), messageAt(2), { t: "gap", c: 3, ...gapFields }, messageAt(8));
    expect([(await iterator.next()).value, (await iterator.next()).value]).toMatchObject([
      { data: 1 },
      { data: 2 },
    ]);
    await expect(iterator.next()).rejects.toMatchObject({ code: "gap", gap: gapFields });
    expect(got).toEqual([1, 2, 8]);
    // The iterator says it.
    expect(rig.warned).toEqual([]);
  });

  it("makes no iterator throw where `continue` was asked for [GAP-7]", async () => {
    const { socket, channel } = await listening({ onGap: "continue" });
    const iterator = channel.messages();
    socket.say(messageAt(1), messageAt(2), { t: "gap", c: 3, ...gapFields }, messageAt(8));
    const data = [];
    for (let count = 0; count < 3; count++) data.push((await iterator.next()).value?.data);
    expect(data).toEqual([1, 2, 8]);
  });

  it("tells listeners and holds delivery until resume where `pause` was asked for", async () => {
    const { socket, channel, got } = await listening({ onGap: "pause" });
    const gaps: unknown[] = [];
    channel.on("gap", (gap) => gaps.push(gap));
    socket.say(messageAt(1), messageAt(2), { t: "gap", c: 3, ...gapFields }, messageAt(8), messageAt(9));
    expect(gaps).toEqual([{ channel: "a", ...gapFields }]);
    expect(got).toEqual([1, 2]);
    expect(channel.state.status).toBe("held");
    channel.resume();
    expect(got).toEqual([1, 2, 8, 9]);
    expect(channel.state.status).toBe("attached");
  });

  it("holds a skip in its place behind the messages that wait [GAP-9]", async () => {
    const { socket, channel, got } = await listening({ onGap: "pause" });
    const skips: unknown[] = [];
    channel.on("skip", ({ from, to }) => skips.push([from, to, ...got]));
    const skip = { t: "skip", c: 3, from: at(8), to: at(10) };
    socket.say(
      messageAt(1),
      messageAt(2),
      { t: "gap", c: 3, ...gapFields },
      messageAt(8),
      skip,
      messageAt(11),
    );
    expect(skips).toEqual([]);
    channel.resume();
    expect(skips).toEqual([[at(8), at(10), 1, 2, 8]]);
    expect(got).toEqual([1, 2, 8, 11]);
  });

  it("lets a listener of the gap resume at once", async () => {
    const { socket, channel, got } = await listening({ onGap: "pause" });
    channel.on("gap", () => channel.resume());
    socket.say(messageAt(1), messageAt(2), { t: "gap", c: 3, ...gapFields }, messageAt(8));
    expect(got).toEqual([1, 2, 8]);
  });

  it.each([undefined, "pause"] as const)(
    "that nobody listens for is a warning with the remedy, once for each channel (onGap: %s) [GAP-8]",
    async (onGap) => {
      const { socket, channel, rig } = await listening({ onGap });
      socket.say(messageAt(1), messageAt(2), { t: "gap", c: 3, ...gapFields });
      channel.resume();
      socket.say({ t: "gap", c: 3, from: at(7), to: at(20), reason: "retention" });
      expect(rig.warned).toEqual([expect.stringMatching(/Messages of "a" were missed, .*:2 to .*:7.*"gap"/)]);
      expect(rig.reported).toEqual([]);
    },
  );

  it.each(["continue", () => undefined] as const)(
    "that was decided on beforehand is no warning (onGap: %s)",
    async (onGap) => {
      const { socket, got, rig } = await listening({ onGap });
      socket.say(messageAt(1), messageAt(2), { t: "gap", c: 3, ...gapFields }, messageAt(8));
      await rig.settle();
      expect([got, rig.warned, rig.reported]).toEqual([[1, 2, 8], [], []]);
    },
  );

  it("goes on by itself where that was asked for", async () => {
    const { socket, got, channel } = await listening({ onGap: "continue" });
    const gaps: string[] = [];
    channel.on("gap", ({ to }) => gaps.push(to));
    socket.say(messageAt(1), messageAt(2), { t: "gap", c: 3, ...gapFields }, messageAt(8));
    expect(gaps).toEqual([at(7)]);
    expect(got).toEqual([1, 2, 8]);
  });

  it("waits until the state has been brought up to date, gap by gap", async () => {
    const repaired: string[] = [];
    const waiting: (() => void)[] = [];
    const { socket, got, rig } = await listening({
      onGap(gap) {
        repaired.push(gap.to);
        return new Promise((resolve) => void waiting.push(resolve));
      },
    });
    socket.say(messageAt(1), messageAt(2), { t: "gap", c: 3, ...gapFields }, messageAt(8));
    socket.say({ t: "gap", c: 3, from: at(8), to: at(20), reason: "retention" }, messageAt(21));
    await rig.settle();
    expect(repaired).toEqual([at(7)]);
    waiting.shift()?.();
    await rig.settle();
    expect([got, repaired]).toEqual([
      [1, 2, 8],
      [at(7), at(20)],
    ]);
    waiting.shift()?.();
    await rig.settle();
    expect(got).toEqual([1, 2, 8, 21]);
  });

  it("fails as a gap where bringing the state up to date fails", async () => {
    const { socket, channel, rig } = await listening({ onGap: () => Promise.reject(new Error("down")) });
    const iterator = channel.messages();
    socket.say(messageAt(1), messageAt(2), { t: "gap", c: 3, ...gapFields });
    await rig.settle();
    await iterator.next();
    await iterator.next();
    await expect(iterator.next()).rejects.toMatchObject({ code: "gap", cause: { message: "down" } });
  });

  it("in the reply to an attach is told as well [GAP-1]", async () => {
    const { socket, channel, got } = await listening({ onGap: "continue" });
    const gaps: string[] = [];
    channel.on("gap", ({ reason }) => gaps.push(reason));
    const newer = "0mhlk4c1w0pd";
    socket.say(messageAt(2));
    socket.take();
    socket.say(
      attachedAt(2, 0, {
        position: at(4, newer),
        head: at(5, newer),
        gap: { from: at(0), to: at(4, newer), reason: "epoch" },
      }),
      messageAt(5),
    );
    expect(gaps).toEqual(["epoch"]);
    expect(got).toEqual([5]);
    expect(channel.position).toBe(at(5, newer));
  });

  it("on a channel that keeps the latest values tells that the state begins anew, and never waits [READ-4]", async () => {
    const { socket, channel, got } = await listening();
    const gaps: string[] = [];
    channel.on("gap", ({ to }) => gaps.push(to));
    socket.say(messageAt(1), messageAt(3));
    socket.say(
      attachedAt(2, 0, {
        keep: "latest",
        position: at(0),
        gap: { from: at(1), to: at(0), reason: "retention" },
      }),
      messageAt(1),
    );
    expect(gaps).toEqual([at(0)]);
    expect(got).toEqual([1, 1]);
  });
});
