/** Bugs of others with positions: a cursor that can't be kept is told, and never silence or somebody else's data. */
import { describe, expect, it } from "vitest";
import { FOLLOWERS } from "../support/followers.ts";
import { startLineRig } from "../support/line-rig.ts";

describe.each(FOLLOWERS)("$name", ({ follow }) => {
  it("that asks for a position nobody has seen is told so, and goes on live (mercure#704)", async () => {
    await using rig = await startLineRig();
    await rig.publish("one");
    const since = (await rig.server.channel("a").position()).replace(":1", ":700");
    await using follower = follow({ url: rig.url, channel: "a", since });
    expect(await follower.next()).toBe("gap unknown-position");
    await rig.publish("two");
    expect(await follower.next()).toBe("two");
  });

  it("that brings the position of another channel is told a gap, and given its own alone (GHSA-84j6)", async () => {
    await using rig = await startLineRig();
    for (const text of ["private 1", "private 2"]) await rig.server.channel("private").publish(text);
    await rig.publish("own");
    const since = (await rig.server.channel("private").position()).replace(":2", ":1");
    await using follower = follow({ url: rig.url, channel: "a", since });
    expect([await follower.next(), await follower.next()]).toEqual(["gap epoch", "own"]);
    await rig.server.channel("private").publish("private 3");
    await rig.publish("own too");
    expect(await follower.next()).toBe("own too");
  });

  it.for(["garbage", "e:1", "000000000000:01", "000000000000:-1", "000000000000:9007199254740992"])(
    "that asks for %s is refused, and nobody else is disturbed (frontmcp#529)",
    async (since) => {
      await using rig = await startLineRig();
      await using good = follow({ url: rig.url, channel: "a" });
      await good.opened;
      await using follower = follow({ url: rig.url, channel: "a", since });
      expect(await follower.next()).toBe("refused");
      await rig.publish("one");
      expect(await good.next()).toBe("one");
      expect(follower.size).toBe(0);
    },
  );

  it("is given what came between a snapshot and its attach (upstash/realtime#23)", async () => {
    await using rig = await startLineRig();
    const room = rig.server.channel<string>("a");
    const state: string[] = [];
    const write = async (text: string): Promise<void> => {
      state.push(text);
      await room.publish(text);
    };
    await write("1");
    // As a page is rendered: the position first, then the state, then what comes in between.
    const since = await room.position();
    await write("2");
    const snapshot = [...state];
    await write("3");
    await using follower = follow({ url: rig.url, channel: "a", since });
    await write("4");
    expect([await follower.next(), await follower.next(), await follower.next()]).toEqual(["2", "3", "4"]);
    expect(snapshot).toEqual(["1", "2"]);
  });

  it("is told when the broker starts anew under a live server, and goes on (streams-adapter#32)", async () => {
    await using rig = await startLineRig();
    await rig.publish("old");
    await using follower = follow({ url: rig.url, channel: "a", since: "earliest" });
    expect(await follower.next()).toBe("old");
    rig.broker.forget("a");
    await rig.publish("new");
    expect([await follower.next(), await follower.next()]).toEqual(["gap epoch", "new"]);
    await rig.reattached(() => rig.line.cut());
    await rig.publish("newer");
    expect(await follower.next()).toBe("newer");
  });
});
