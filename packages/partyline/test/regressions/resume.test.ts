/** Bugs of others in resuming: what was seen counts, not what the connection remembers. */
import { describe, expect, it } from "vitest";
import { createMemoryBroker } from "../../src/brokers/memory/index.ts";
import { createVirtualClock } from "../../src/testing/virtual-clock.ts";
import { FOLLOWERS } from "../support/followers.ts";
import { startLineRig } from "../support/line-rig.ts";

describe.each(FOLLOWERS)("$name", ({ follow }) => {
  it("resumes with zero events received (socket.io#5538)", async () => {
    await using rig = await startLineRig();
    await rig.publish("before");
    await using follower = follow({ url: rig.url, channel: "a" });
    await follower.opened;
    rig.line.unplug();
    await rig.publish("while it was away");
    rig.line.mend();
    expect(await follower.next()).toBe("while it was away");
    await rig.publish("when it was back");
    expect(await follower.next()).toBe("when it was back");
  });

  it("resumes twice while idle, without a double (socket.io#5419)", async () => {
    await using rig = await startLineRig();
    await rig.publish("one");
    await using follower = follow({ url: rig.url, channel: "a", since: "earliest" });
    expect(await follower.next()).toBe("one");
    for (let time = 0; time < 2; time++) await rig.reattached(() => rig.line.cut());
    await rig.publish("two", "three");
    expect([await follower.next(), await follower.next()]).toEqual(["two", "three"]);
    expect(follower.size).toBe(0);
  });

  it("resumes as soon as it has connected, again and again (streams-adapter#26)", async () => {
    await using rig = await startLineRig();
    await using follower = follow({ url: rig.url, channel: "a", since: "earliest" });
    await follower.opened;
    const told: string[] = [];
    for (const text of ["1", "2", "3", "4", "5"]) {
      await rig.reattached(() => rig.line.cut());
      rig.line.cut();
      await rig.publish(text);
      told.push(await follower.next());
    }
    expect(told).toEqual(["1", "2", "3", "4", "5"]);
  });

  it("resumes 60 s after it has connected, from a message as old (streams-adapter#48)", async () => {
    const time = createVirtualClock(1_000_000);
    await using rig = await startLineRig({
      broker: createMemoryBroker({ now: () => 1_790_000_000_000 + time.now() }),
      clock: {
        now: () => time.now(),
        setTimer: (fire, delay) => time.setTimer(fire, delay),
        nextTurn: (fire) => void setImmediate(fire),
      },
      // No pong can come while a minute passes at once.
      heartbeat: { ping: 600 },
    });
    await rig.publish("one");
    await using follower = follow({ url: rig.url, channel: "a", since: "earliest" });
    expect(await follower.next()).toBe("one");
    time.advance(60_000);
    rig.line.unplug();
    await rig.publish("two");
    time.advance(60_000);
    rig.line.mend();
    expect(await follower.next()).toBe("two");
  });
});
