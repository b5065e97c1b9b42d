import { describe, expect, it } from "vitest";
import { attachedAt, createClientRig, EPOCH, messageAt } from "../../testing/client-rig.ts";
import type { Frame } from "../../testing/scripted-websocket.ts";
import type { Client } from "../client-types.ts";
import type { Message } from "../message.ts";
import type { FollowOptions, FollowState, Snapshot } from "./follow-types.ts";

const LATER = "0mhlk2v9q7xb";
const at = (offset: number, epoch: string = EPOCH): string => `${epoch}:${offset}`;
const gap = (from: number, to: string, reason = "retention"): Frame => ({ from: at(from), to, reason });

/** The numbers from 1 on: the state after so many messages. */
const upTo = (offset: number): number[] => Array.from({ length: offset }, (_, index) => index + 1);
const snapshotAt = (offset: number, epoch?: string): Snapshot<number[]> => ({
  state: upTo(offset),
  position: at(offset, epoch),
});

/** A live client that follows `a`, and the loads that wait for the test to answer them. */
async function following(
  options: Partial<FollowOptions<number, number[]>> = {},
  before: (client: Client) => void = () => undefined,
) {
  const rig = createClientRig();
  await rig.welcome();
  before(rig.client);
  const loads: {
    answer(snapshot: Snapshot<number[]>): void;
    fail(error: unknown): void;
    signal: AbortSignal;
  }[] = [];
  const follower = await rig.client.channel<number>("a").follow<number[]>({
    snapshot: ({ signal }) =>
      new Promise<Snapshot<number[]>>((answer, fail) => {
        loads.push({ answer, fail, signal });
      }),
    reduce: (numbers, { data }) => [...numbers, data],
    ...options,
  });
  const told: FollowState<number[]>[] = [];
  follower.on("change", (current) => told.push(current));
  await rig.settle();
  return {
    ...rig,
    rig,
    follower,
    loads,
    told,
    /** Answers the newest load. */
    async answer(snapshot: unknown): Promise<void> {
      loads.at(-1)?.answer(snapshot as Snapshot<number[]>);
      await rig.settle();
    },
    async fail(error: unknown): Promise<void> {
      loads.at(-1)?.fail(error);
      await rig.settle();
    },
    take: (): Frame[] => rig.socket.take(),
    say: (...frames: Frame[]): void => rig.socket.say(...frames),
  };
}

/** As {@link following}, live at 3. */
async function live(options: Partial<FollowOptions<number, number[]>> = {}) {
  const rig = await following({ initial: snapshotAt(3), ...options });
  expect(rig.take()).toEqual([{ t: "attach", n: 1, channel: "a", since: at(3) }]);
  rig.say(attachedAt(1, 3));
  expect(rig.follower.current.status).toBe("live");
  return rig;
}

describe("following", () => {
  it("loads, and reads the channel from the snapshot's position on", async () => {
    const rig = await following();
    expect(rig.follower.current).toEqual({ status: "loading", state: undefined, position: undefined });
    expect(rig.take()).toEqual([]);
    await rig.answer(snapshotAt(2));
    expect(rig.follower.current).toMatchObject({ status: "stale", state: [1, 2], position: at(2) });
    expect(rig.take()).toEqual([{ t: "attach", n: 1, channel: "a", since: at(2) }]);
    rig.say(attachedAt(1, 2, { head: at(4), replayed: 2 }), messageAt(3));
    expect(rig.follower.current.status).toBe("stale");
    rig.say(messageAt(4));
    expect(rig.follower.current).toMatchObject({ status: "live", state: [1, 2, 3, 4], position: at(4) });
    expect(rig.follower.asOf).toBe(1_000_004);
    expect(rig.told.map(({ status }) => status)).toEqual(["stale", "stale", "live"]);
  });

  it("takes a snapshot that came with the page, and loads nothing", async () => {
    const rig = await live();
    expect(rig.loads).toEqual([]);
    rig.say(messageAt(4));
    expect(rig.follower.current).toMatchObject({ status: "live", state: [1, 2, 3, 4] });
    await expect(rig.follower.loaded()).resolves.toEqual([1, 2, 3, 4]);
  });

  it("loads again after a gap, holds back what comes, and drops what the snapshot has", async () => {
    const rig = await live();
    rig.say({ t: "gap", c: 3, ...gap(3, at(7)) }, messageAt(8), messageAt(9));
    await rig.settle();
    expect(rig.follower.current).toMatchObject({ status: "stale", state: [1, 2, 3] });
    expect(rig.loads).toHaveLength(1);
    rig.say(messageAt(10));
    await rig.answer(snapshotAt(9));
    expect(rig.follower.current).toMatchObject({ status: "live", state: upTo(10) });
    expect(rig.client.channel("a").state.status).toBe("attached");
  });

  it("loads again where the log lost its past", async () => {
    const rig = await live();
    rig.say({ t: "gap", c: 3, ...gap(3, at(0, LATER), "epoch") });
    await rig.settle();
    await rig.answer({ state: [7], position: at(0, LATER) });
    rig.say(messageAt(1));
    expect(rig.follower.current).toMatchObject({ status: "live", state: [7, 1], position: at(1, LATER) });
  });

  it("loads again at once where a gap came during the load that the snapshot does not reach", async () => {
    const rig = await live();
    rig.say({ t: "gap", c: 3, ...gap(3, at(7)) });
    await rig.settle();
    rig.say({ t: "gap", c: 3, ...gap(7, at(20)) }, messageAt(21));
    await rig.answer(snapshotAt(9));
    expect(rig.loads).toHaveLength(2);
    await rig.answer(snapshotAt(20));
    expect(rig.follower.current).toMatchObject({ status: "live", state: upTo(21) });
  });

  it("keeps a state that reaches beyond the gap", async () => {
    const rig = await following({ initial: snapshotAt(9) }, (client) => {
      client.channel("a", { since: at(3) }).on("message", () => undefined);
    });
    expect(rig.take()).toEqual([{ t: "attach", n: 1, channel: "a", since: at(3) }]);
    rig.say(
      attachedAt(1, 7, { head: at(9), replayed: 2, gap: gap(3, at(7)) }),
      messageAt(8),
      messageAt(9),
      messageAt(10),
    );
    await rig.settle();
    expect(rig.loads).toEqual([]);
    expect(rig.follower.current).toMatchObject({ status: "live", state: upTo(10) });
  });

  it("gives up what it holds back where the log has a new life of which a full channel can't hear", async () => {
    const rig = await live({ heldMessages: 1 });
    rig.say({ t: "gap", c: 3, ...gap(3, at(7)) }, messageAt(8));
    await rig.settle();
    expect(rig.take()).toMatchObject([{ t: "detach" }]);
    await rig.answer({ state: [1], position: at(1, LATER) });
    expect(rig.take()).toEqual([{ t: "attach", n: 3, channel: "a", since: at(8) }]);
    rig.say(
      attachedAt(3, 0, { position: at(0, LATER), head: at(1, LATER), gap: gap(8, at(0, LATER), "epoch") }),
    );
    rig.clock.advance(250);
    await rig.settle();
    await rig.answer({ state: [1], position: at(1, LATER) });
    rig.say(messageAt(1), messageAt(2));
    expect(rig.follower.current).toMatchObject({ status: "live", state: [1, 2] });
  });

  it("tells a failure, keeps the state, and tries again after a backoff that grows", async () => {
    const rig = await live();
    rig.say({ t: "gap", c: 3, ...gap(3, at(7)) });
    await rig.settle();
    const broken = new Error("503");
    await rig.fail(broken);
    expect(rig.follower.current).toMatchObject({ status: "error", error: broken, state: [1, 2, 3] });
    rig.clock.advance(249);
    await rig.settle();
    expect(rig.loads).toHaveLength(1);
    rig.clock.advance(1);
    await rig.settle();
    await rig.fail(broken);
    rig.clock.advance(500);
    await rig.settle();
    expect(rig.loads).toHaveLength(3);
    await rig.answer(snapshotAt(7));
    expect(rig.follower.current).toMatchObject({ status: "live", error: undefined, state: upTo(7) });
  });

  it("refuses a snapshot that is older than what the channel still has, and tries again", async () => {
    const rig = await live();
    rig.say({ t: "gap", c: 3, ...gap(3, at(7)) });
    await rig.settle();
    await rig.answer(snapshotAt(5));
    expect(rig.follower.current).toMatchObject({ status: "error", error: { code: "gap" }, state: [1, 2, 3] });
    rig.clock.advance(250);
    await rig.settle();
    await rig.answer(snapshotAt(7));
    expect(rig.follower.current).toMatchObject({ status: "live", state: upTo(7) });
  });

  it.each([undefined, {}, { state: [], position: null }, { state: [], position: "now" }])(
    "refuses %j, which has no position",
    async (answer) => {
      const rig = await following();
      await rig.answer(answer);
      expect(rig.follower.current).toMatchObject({ status: "error", error: { code: "bad-position" } });
    },
  );

  it("gives up a load that takes too long, and does not listen to it any more", async () => {
    const rig = await following({ loadTimeout: 5_000 });
    rig.clock.advance(5_000);
    expect(rig.follower.current).toMatchObject({ status: "error", error: { code: "expired" } });
    expect(rig.loads[0]?.signal.aborted).toBe(true);
    rig.clock.advance(250);
    await rig.settle();
    rig.loads[0]?.answer(snapshotAt(1));
    await rig.answer(snapshotAt(2));
    expect(rig.follower.current.state).toEqual([1, 2]);
  });

  it("loads again where reduce throws, behind the message that it could not take", async () => {
    const broken = new Error("no such card");
    const reduce = (numbers: number[], { data }: Message<number>): number[] => {
      if (data === 5) throw broken;
      return [...numbers, data];
    };
    const rig = await live({ reduce });
    rig.say(messageAt(4), messageAt(5), messageAt(6));
    expect(rig.follower.current).toMatchObject({ status: "error", error: broken, state: upTo(4) });
    rig.clock.advance(250);
    await rig.settle();
    await rig.answer(snapshotAt(5));
    expect(rig.follower.current).toMatchObject({ status: "live", state: upTo(6) });
  });

  it("leaves in the log what it can't hold back, and reads on from there", async () => {
    const rig = await live({ heldMessages: 3 });
    rig.say(
      { t: "gap", c: 3, ...gap(3, at(7)) },
      messageAt(8),
      messageAt(9),
      messageAt(10),
      messageAt(11),
      messageAt(12),
    );
    await rig.settle();
    expect(rig.take()).toEqual([{ t: "detach", n: 2, channel: "a" }]);
    await rig.answer(snapshotAt(7));
    expect(rig.follower.current).toMatchObject({ status: "stale", state: upTo(10) });
    expect(rig.take()).toEqual([{ t: "attach", n: 3, channel: "a", since: at(10) }]);
    rig.say(attachedAt(3, 10, { head: at(12), replayed: 2 }), messageAt(11), messageAt(12));
    expect(rig.follower.current).toMatchObject({ status: "live", state: upTo(12) });
  });

  it("finds by itself that others have attached the channel further on", async () => {
    const rig = await following();
    rig.client.channel("a").on("message", () => undefined);
    expect(rig.take()).toMatchObject([{ t: "attach", channel: "a" }]);
    await rig.answer(snapshotAt(3));
    rig.say(attachedAt(1, 8));
    await rig.settle();
    expect(rig.loads).toHaveLength(2);
    rig.say(messageAt(9));
    await rig.answer(snapshotAt(8));
    expect(rig.follower.current).toMatchObject({ status: "live", state: upTo(9) });
  });

  it("goes over what the channel leaves out as asked for", async () => {
    const rig = await live();
    rig.say({ t: "skip", c: 3, from: at(3), to: at(6) }, messageAt(7));
    expect(rig.follower.current).toMatchObject({ status: "live", state: [1, 2, 3, 7] });
  });

  it("is stale while the connection is lost, and as of when it was live last", async () => {
    const rig = await live();
    rig.say({ t: "mark", c: 3, position: at(3), time: 1_020_000 });
    rig.socket.close(1006);
    expect(rig.follower.current).toMatchObject({ status: "stale", state: [1, 2, 3] });
    expect(rig.follower.asOf).toBe(1_020_000);
  });

  it("tells that the server refuses the channel", async () => {
    const rig = await following({ initial: snapshotAt(3) });
    rig.say({ t: "error", n: 1, code: "forbidden", message: "no", remedy: "" });
    expect(rig.follower.current).toMatchObject({ status: "error", error: { code: "forbidden" } });
  });

  it("ends with close, also a load that is under way, and leaves no timer and no reader behind", async () => {
    const rig = await live({ heldMessages: 1 });
    const { timers } = rig.clock;
    rig.say({ t: "gap", c: 3, ...gap(3, at(7)) }, messageAt(8));
    await rig.settle();
    rig.follower.close();
    expect(rig.loads[0]?.signal.aborted).toBe(true);
    expect(rig.follower.current).toMatchObject({ status: "closed", state: [1, 2, 3] });
    await rig.answer(snapshotAt(9));
    expect(rig.follower.current.state).toEqual([1, 2, 3]);
    expect(rig.client.channel("a").state.status).toBe("detached");
    expect(rig.clock.timers).toBe(timers);
  });

  it("is closed where the channel is by the time that its code is there, and loads nothing", async () => {
    const rig = createClientRig();
    const coming = rig.client.channel<number>("a").follow<number[]>({
      initial: snapshotAt(3),
      snapshot() {
        throw new Error("It is not asked for.");
      },
      reduce: (numbers) => numbers,
    });
    await rig.client.close();
    await using follower = await coming;
    expect(follower.current).toMatchObject({ status: "closed", state: undefined, error: undefined });
    await expect(follower.loaded()).rejects.toMatchObject({ code: "closed" });
    expect(rig.clock.timers).toBe(0);
  });

  it("ends with its channel, whether it was loaded or not", async () => {
    const rig = await following();
    const loaded = rig.follower.loaded();
    await rig.client.close();
    await expect(loaded).rejects.toMatchObject({ code: "closed" });
    expect(rig.follower.current.status).toBe("closed");
    await rig.answer(snapshotAt(1));
    expect(rig.follower.current.state).toBeUndefined();
  });
});
