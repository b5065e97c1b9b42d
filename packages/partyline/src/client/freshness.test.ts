import { describe, expect, it } from "vitest";
import { attachedAt, createClientRig, EPOCH, messageAt } from "../testing/client-rig.ts";
import type { Frame } from "../testing/scripted-websocket.ts";
import type { ChannelOptions } from "./channel-types.ts";

const at = (offset: number, epoch: string = EPOCH): string => `${epoch}:${offset}`;
const m = (offset: number, time = 1_000_000): Frame => messageAt(offset, { time });
const attached = (offset: number, head: number): Frame =>
  attachedAt(1, offset, { head: at(head), replayed: head - offset });

/** A live client that has asked for a channel; the server's clock begins at 1 000 000. */
async function reading(options: ChannelOptions = {}) {
  const rig = createClientRig();
  await rig.welcome();
  const channel = rig.client.channel<number>("a", options);
  channel.on("message", () => undefined);
  return { rig, channel, say: (...frames: Frame[]) => rig.socket.say(...frames) };
}

describe("a channel's freshness", () => {
  it("is not known before the channel was attached", async () => {
    const { channel } = await reading();
    expect(channel.freshness).toBeUndefined();
  });

  it("is the time since the server last vouched for the position", async () => {
    const { rig, channel, say } = await reading();
    say(attached(0, 0));
    expect(channel.freshness).toEqual({ age: 0, behind: 0 });
    rig.clock.advance(20_000);
    expect(channel.freshness).toEqual({ age: 20_000, behind: 0 });
    say({ t: "mark", c: 3, position: at(0), time: 1_020_000 });
    expect(channel.freshness).toEqual({ age: 0, behind: 0 });
  });

  it("is the age of the message it has come to, and the number of those known to follow", async () => {
    const { channel, say } = await reading({ since: at(5) });
    say(attached(5, 9), m(6, 940_000));
    expect(channel.freshness).toEqual({ age: 60_000, behind: 3 });
    say(m(7, 941_000), m(8, 942_000), m(9, 999_000));
    expect(channel.freshness).toEqual({ age: 1_000, behind: 0 });
  });

  it("is not younger for a machine that slept while its clock stood still", async () => {
    const { rig, channel, say } = await reading();
    say(attached(0, 0));
    rig.pace.date += 300_000;
    expect(channel.freshness).toEqual({ age: 300_000, behind: 0 });
  });

  it("is behind nothing in a new life of the log", async () => {
    const { channel, say } = await reading({ onGap: "continue" });
    const later = "0mhlk4c1w0pd";
    say(attached(0, 0), m(1), { t: "gap", c: 3, from: at(1), to: at(0, later), reason: "epoch" });
    expect(channel).toMatchObject({ head: at(0, later), freshness: { behind: 0 } });
  });
});
