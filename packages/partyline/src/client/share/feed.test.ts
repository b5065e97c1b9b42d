import { describe, expect, it } from "vitest";
import type { AttachedFrame, GapFrame, MarkFrame, MessageFrame } from "../../protocol/frames.ts";
import type { Keep } from "../../protocol/message.ts";
import { createFeed } from "./feed.ts";
import { placeOf, type Reading, type ReadingItem } from "./reading.ts";

const EPOCH = "0mhlk2v9q7xa";
const at = (offset: number): string => `${EPOCH}:${offset}`;
const attached = (position: number, head: number, keep: Keep = "history"): AttachedFrame => ({
  t: "attached",
  n: 1,
  channel: "a",
  c: 3,
  position: at(position),
  head: at(head),
  replayed: head - position,
  keep,
});
const message = (offset: number): MessageFrame => ({
  t: "m",
  c: 3,
  offset,
  time: 1,
  kind: "json",
  data: offset,
});
const gap = (from: number, to: number): GapFrame => ({
  t: "gap",
  c: 3,
  from: at(from),
  to: at(to),
  reason: "retention",
});
const mark = (offset: number): MarkFrame => ({ t: "mark", c: 3, position: at(offset), time: 1 });

function describeItem(item: ReadingItem): string {
  if (item.t === "attached") return `attached at ${item.frame.position.split(":")[1]}`;
  if (item.t === "refused") return item.frame.code;
  const frame = JSON.parse(item.line) as MessageFrame | GapFrame | MarkFrame;
  return frame.t === "m" ? `${frame.offset}` : frame.t;
}

function rig() {
  const readings: Reading[] = [];
  const stream = {};
  const feed = createFeed({
    name: "a",
    readings: () => readings,
    since: () => readings.find((reading) => !reading.feed)?.since,
    rate: () => Infinity,
    reattach: () => undefined,
    drop: (dropped) => void readings.splice(readings.indexOf(dropped), 1),
    settle: () => undefined,
  });
  /** A tab that asks for the channel, and what it is told. */
  const ask = (since: string | undefined): { readonly reading: Reading; readonly told: string[] } => {
    const told: string[] = [];
    const reading: Reading = {
      n: readings.length,
      since,
      maxRate: undefined,
      place: placeOf(since),
      answered: false,
      feed: undefined,
      give: (item) => void told.push(describeItem(item)),
    };
    readings.push(reading);
    return { reading, told };
  };
  const attach = (frame: AttachedFrame): void => {
    feed.reader.attaching(stream);
    feed.reader.attached(frame, stream);
  };
  const say = (...frames: (MessageFrame | GapFrame | MarkFrame)[]): void => {
    for (const frame of frames) feed.reader.frame(frame, EPOCH, 10);
  };
  return { feed, ask, attach, say };
}

describe("a reading joins a feed", () => {
  it("where its place is within what the feed still has, and is given what it lacks", () => {
    const { feed, ask, attach, say } = rig();
    ask("last:3");
    attach(attached(7, 10));
    say(message(8), message(9), message(10));
    const { reading, told } = ask(at(8));
    expect(feed.join(reading)).toBe(true);
    say(message(11));
    expect(told).toEqual(["attached at 8", "9", "10", "11"]);
  });

  it("ahead of the feed, and is given nothing twice", () => {
    const { feed, ask, attach, say } = rig();
    ask(at(7));
    attach(attached(7, 10));
    const { reading, told } = ask(at(9));
    expect(feed.join(reading)).toBe(true);
    say(message(8), message(9), message(10));
    expect(told).toEqual(["attached at 9", "10"]);
  });

  it("at the newest where it asks for what is new, if the feed is there", () => {
    const { feed, ask, attach, say } = rig();
    ask(at(9));
    attach(attached(9, 10));
    const { reading, told } = ask(undefined);
    expect(feed.join(reading)).toBe(false);
    say(message(10));
    expect(feed.join(reading)).toBe(true);
    expect(told).toEqual(["attached at 10"]);
  });

  it.each([
    { why: "before what the feed has", since: at(6) },
    { why: "behind the newest, which only the server can judge", since: at(11) },
    { why: "in another life of the log", since: "0mhlk2v9q7xb:8" },
    { why: "in a way that only the server can tell", since: "last:2" },
  ])("not $why", ({ since }) => {
    const { feed, ask, attach } = rig();
    ask(at(7));
    attach(attached(7, 10));
    expect(feed.join(ask(since).reading)).toBe(false);
  });

  it("not below the head of a `latest` channel whose whole state is being given, which may lack deletions", () => {
    const { feed, ask, attach, say } = rig();
    ask("earliest");
    attach(attached(3, 10, "latest"));
    say(message(4));
    expect(feed.join(ask(at(6)).reading)).toBe(false);
    expect(feed.join(ask(at(10)).reading)).toBe(true);
  });

  it("not while a `latest` channel gives its whole state behind a later gap, until a mark says that this was all", () => {
    const { feed, ask, attach, say } = rig();
    ask(at(10));
    attach(attached(10, 10, "latest"));
    say(gap(10, 3), message(4), message(5));
    expect(feed.join(ask(at(4)).reading)).toBe(false);
    expect(feed.join(ask(at(5)).reading)).toBe(false);
    say(mark(5));
    expect(feed.join(ask(at(4)).reading)).toBe(false);
    expect(feed.join(ask(at(5)).reading)).toBe(true);
  });

  it("of a `latest` channel that is read on from a place, where it may", () => {
    const { feed, ask, attach } = rig();
    ask(at(3));
    attach(attached(3, 10, "latest"));
    expect(feed.join(ask(at(6)).reading)).toBe(true);
  });
});

describe("a gap", () => {
  it("is told to those who stand where it begins; the others leave and ask for themselves", () => {
    const { feed, ask, attach, say } = rig();
    const here = ask(at(7));
    attach(attached(7, 20));
    const ahead = ask(at(12));
    feed.join(ahead.reading);
    say(gap(7, 15), message(16));
    expect(here.told).toEqual(["attached at 7", "gap", "16"]);
    expect(ahead.told).toEqual(["attached at 12"]);
    expect(ahead.reading.feed).toBeUndefined();
  });
});

it("answers those who asked the same with the server's answer, and no one else", () => {
  const { ask, attach } = rig();
  const [one, two, other] = [ask("last:3"), ask("last:3"), ask("earliest")];
  attach(attached(7, 10));
  expect([one.told, two.told, other.told]).toEqual([["attached at 7"], ["attached at 7"], []]);
});
