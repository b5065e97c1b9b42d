import { expect, it } from "vitest";
import { createClientRig } from "../testing/client-rig.ts";

const at = (offset: number): string => `0mhlk2v9q7xa:${offset}`;

it("tells a gap and a skip from where the reader is, also where its stream was asked from before that [READ-5]", async () => {
  const rig = createClientRig();
  await rig.welcome();
  const { client, socket } = rig;
  const channel = client.channel("a", { onGap: "continue" });
  const told: unknown[] = [];
  channel.on("gap", (gap) => told.push(gap));
  channel.on("skip", (skip) => told.push(skip));
  channel.on("message", ({ offset }) => told.push(offset));
  const m = (offset: number) => ({ t: "m", c: 3, offset, time: 1, kind: "json", data: offset });
  socket.say({
    t: "attached",
    n: 1,
    channel: "a",
    c: 3,
    position: at(0),
    head: at(0),
    replayed: 0,
    keep: "history",
  });
  socket.say(m(1), m(2), { t: "gap", c: 3, from: at(0), to: at(7), reason: "retention", lost: 7 });
  socket.say(m(8), { t: "skip", c: 3, from: at(7), to: at(9) });
  expect(told).toEqual([
    1,
    2,
    { channel: "a", from: at(2), to: at(7), reason: "retention", lost: 5 },
    8,
    { channel: "a", from: at(8), to: at(9) },
  ]);
});
