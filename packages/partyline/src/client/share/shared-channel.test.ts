import { describe, expect, it } from "vitest";
import { createSharedChannel } from "./shared-channel.ts";

const [EPOCH, OTHER] = ["0mhlk2v9q7xa", "0mhlk2v9q7xb"];

/** From where the connection asks for the channel when tabs have asked for it from these places. */
function sinceOf(...sinces: (string | undefined)[]): string | undefined {
  const channel = createSharedChannel("a", { reattach: () => undefined, update: () => undefined });
  for (const [n, since] of sinces.entries())
    channel.attach({}, { n, since, maxRate: undefined, give: () => undefined });
  return channel.main.attaching({}).since;
}

describe("a connection that is taken over", () => {
  it("asks for a channel from the lowest place that one of its tabs has, so that one attach serves all", () => {
    expect(sinceOf(`${EPOCH}:9`, `${EPOCH}:5`, `${EPOCH}:7`)).toBe(`${EPOCH}:5`);
    expect(sinceOf("earliest", undefined, `${EPOCH}:7`, `${EPOCH}:10`)).toBe(`${EPOCH}:7`);
  });

  it("compares no places of different lives", () => {
    expect(sinceOf(`${EPOCH}:9`, `${OTHER}:5`, `${EPOCH}:8`)).toBe(`${EPOCH}:8`);
  });

  it("asks as the first tab where none has a place", () => {
    expect(sinceOf("last:3", "earliest")).toBe("last:3");
    expect(sinceOf(undefined, "earliest")).toBeUndefined();
  });
});

it("a channel asks again if the reply is to an attach of tabs that left before it came", () => {
  const reattached: string[] = [];
  const channel = createSharedChannel("a", {
    reattach: (place) => reattached.push(place),
    update: () => undefined,
  });
  channel.attach({}, { n: 1, since: `${EPOCH}:0`, maxRate: undefined, give: () => undefined });
  const reply = {
    t: "attached",
    n: 1,
    channel: "a",
    c: 1,
    position: `${EPOCH}:0`,
    head: `${EPOCH}:1`,
    replayed: 1,
    keep: "history",
  } as const;
  // Another object of the same channel made this stream attach it, and is gone.
  channel.main.attached(reply, {});
  channel.main.attached(reply, {});
  expect(reattached).toEqual(["main"]);
  const stream = {};
  expect(channel.main.attaching(stream)).toMatchObject({ since: `${EPOCH}:0` });
  channel.main.attached(reply, stream);
  expect(reattached).toEqual(["main"]);
});
