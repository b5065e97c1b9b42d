import { expect, it } from "vitest";
import { attachedAt, createClientRig, EPOCH, messageAt } from "../testing/client-rig.ts";

const at = (offset: number): string => `${EPOCH}:${offset}`;

it("tells a gap and a skip from where the reader is, also where its stream was asked from before that [READ-5]", async () => {
  const rig = createClientRig();
  await rig.welcome();
  const { client, socket } = rig;
  const channel = client.channel("a", { onGap: "continue" });
  const told: unknown[] = [];
  channel.on("gap", (gap) => told.push(gap));
  channel.on("skip", (skip) => told.push(skip));
  channel.on("message", ({ offset }) => told.push(offset));
  socket.say(attachedAt(1, 0));
  socket.say(messageAt(1), messageAt(2), {
    t: "gap",
    c: 3,
    from: at(0),
    to: at(7),
    reason: "retention",
    lost: 7,
  });
  socket.say(messageAt(8), { t: "skip", c: 3, from: at(7), to: at(9) });
  expect(told).toEqual([
    1,
    2,
    { channel: "a", from: at(2), to: at(7), reason: "retention", lost: 5 },
    8,
    { channel: "a", from: at(8), to: at(9) },
  ]);
});
