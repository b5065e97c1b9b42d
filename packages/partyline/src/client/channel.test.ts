import { describe, expect, it } from "vitest";
import { attachedAt, createClientRig, EPOCH, messageAt, WELCOME } from "../testing/client-rig.ts";
import { listening } from "../testing/listening.ts";
import type { Message } from "./message.ts";

const at = (offset: number, epoch: string = EPOCH): string => `${epoch}:${offset}`;

describe("a channel", () => {
  it("is attached in the first frame of the connection, with the hello", async () => {
    const rig = createClientRig();
    rig.client.channel("a", { since: "last:5" }).on("message", () => undefined);
    expect(await rig.welcome()).toEqual([
      { t: "hello", v: 1 },
      { t: "attach", n: 1, channel: "a", since: "last:5" },
    ]);
  });

  it("follows the welcome if it does not fit into the first frame [WS-11]", async () => {
    const rig = createClientRig({ token: "t".repeat(10_000) });
    const names = Array.from({ length: 100 }, (_, index) => `a/房間に名前/${index}`);
    for (const name of names) rig.client.channel(name).on("message", () => undefined);
    await rig.settle();
    rig.socket.open();
    const first = rig.socket.take();
    const size = new TextEncoder().encode(first.map((frame) => JSON.stringify(frame)).join("\n")).length;
    expect(size).toBeLessThanOrEqual(16_384);
    rig.socket.say(WELCOME);
    expect(
      [...first, ...rig.socket.take()].filter(({ t }) => t === "attach").map(({ channel }) => channel),
    ).toEqual(names);
  });

  it("is one of many in the first frame as far as its size allows [WS-11]", async () => {
    const rig = createClientRig();
    const names = Array.from({ length: 200 }, (_, index) => `房間`.repeat(20) + String(index));
    for (const name of names) rig.client.channel(name).on("message", () => undefined);
    await rig.settle();
    rig.socket.open();
    const first = rig.socket.take();
    const size = new TextEncoder().encode(first.map((frame) => JSON.stringify(frame)).join("\n")).length;
    expect(size).toBeLessThanOrEqual(16_384);
    expect(first.length).toBeGreaterThan(20);
  });

  it("is attached when the first reader comes and detached when the last one leaves", async () => {
    const rig = createClientRig();
    await rig.welcome();
    const channel = rig.client.channel("a");
    expect(channel.state.status).toBe("detached");
    const off = channel.on("message", () => undefined);
    const iterator = channel.messages();
    expect(rig.socket.take()).toEqual([{ t: "attach", n: 1, channel: "a" }]);
    off();
    expect(rig.socket.take()).toEqual([]);
    await iterator.return?.();
    expect(rig.socket.take()).toEqual([{ t: "detach", n: 2, channel: "a" }]);
  });

  it("gives messages with channel, position and data by kind", async () => {
    const { channel, socket } = await listening();
    const iterator = channel.messages();
    socket.say(
      messageAt(1, { data: { a: 1 }, id: "x", key: "k" }),
      messageAt(2, { kind: "text", data: "t" }),
      messageAt(3, { kind: "binary", data: "AAEC" }),
      messageAt(4, { kind: "deleted", key: "k", data: undefined }),
    );
    const got: Message[] = [];
    for (let count = 0; count < 4; count++) got.push((await iterator.next()).value as Message);
    expect(got[0]).toEqual({
      channel: "a",
      offset: 1,
      position: at(1),
      time: 1_000_001,
      kind: "json",
      id: "x",
      key: "k",
      data: { a: 1 },
    });
    expect(got.map(({ data }) => data)).toEqual([{ a: 1 }, "t", new Uint8Array([0, 1, 2]), undefined]);
  });

  it("drops doubles and attaches again where something is missing [READ-2, READ-3]", async () => {
    const { socket, got } = await listening();
    socket.say(messageAt(1), messageAt(1), messageAt(3), messageAt(4));
    expect(got).toEqual([1]);
    expect(socket.take()).toEqual([{ t: "attach", n: 2, channel: "a", since: at(1) }]);
    socket.say(attachedAt(2, 1), messageAt(2), messageAt(3));
    expect(got).toEqual([1, 2, 3]);
  });

  it("attaches again where a mark shows that something was lost [READ-6]", async () => {
    const { socket } = await listening();
    socket.say({ t: "mark", c: 3, position: at(2), time: 1_000_005 });
    expect(socket.take()).toEqual([{ t: "attach", n: 2, channel: "a", since: at(0) }]);
  });

  it("does not ask for ever for what a server does not give", async () => {
    const { socket, clock, channel } = await listening();
    for (let n = 2; n < 5; n++) socket.say(messageAt(9), attachedAt(n, 0, { head: at(9) }));
    expect(socket.take().filter(({ t }) => t === "attach")).toHaveLength(3);
    socket.say(messageAt(9));
    expect(socket.take()).toEqual([{ t: "detach", n: 5, channel: "a" }]);
    clock.advance(30_000);
    expect(socket.take()).toContainEqual({ t: "attach", n: 6, channel: "a", since: at(0) });
    expect(channel.state.status).toBe("attaching");
  });

  it("knows position, head and how fresh it is from messages and marks", async () => {
    const { socket, channel } = await listening();
    expect(channel.position).toBe(at(0));
    socket.say(messageAt(1), { t: "mark", c: 3, position: at(1), time: 1_020_000 });
    expect(channel).toMatchObject({ position: at(1), head: at(1), asOf: 1_020_000 });
  });

  it("tells skips, marks and stale channels", async () => {
    const { socket, channel } = await listening();
    const told: unknown[] = [];
    for (const event of ["skip", "mark", "stale"] as const)
      channel.on(event, (value) => told.push([event, value]));
    socket.say(
      { t: "skip", c: 3, from: at(0), to: at(4) },
      messageAt(5),
      { t: "mark", c: 3, position: at(5), time: 7 },
      { t: "stale", c: 3, since: 9 },
    );
    expect(told).toEqual([
      ["skip", { channel: "a", from: at(0), to: at(4) }],
      ["mark", { position: at(5), time: 7 }],
      ["stale", { since: 9 }],
    ]);
  });

  it("detaches on demand, keeps its place and its readers, and goes on with resume", async () => {
    const { socket, channel, got } = await listening();
    socket.say(messageAt(1));
    channel.detach();
    expect(socket.take()).toEqual([{ t: "detach", n: 2, channel: "a" }]);
    socket.say(messageAt(2));
    channel.resume();
    expect(socket.take()).toEqual([{ t: "attach", n: 3, channel: "a", since: at(1) }]);
    socket.say(attachedAt(3, 1), messageAt(2));
    expect(got).toEqual([1, 2]);
  });

  it("ends its iterators and refuses what was not settled when it is closed", async () => {
    const { channel, client } = await listening();
    const iterator = channel.messages();
    const publish = channel.publish(1);
    channel.close();
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    await expect(publish).rejects.toMatchObject({ code: "closed" });
    await expect(channel.publish(2)).rejects.toMatchObject({ code: "closed" });
    expect(channel.state.status).toBe("closed");
    expect(client.channel("a")).not.toBe(channel);
  });

  it("ends an iterator by its signal", async () => {
    const { channel } = await listening();
    const abort = new AbortController();
    const next = channel.messages({ signal: abort.signal }).next();
    abort.abort();
    expect(await next).toEqual({ done: true, value: undefined });
  });

  it("survives a listener that throws, and reports what it threw", async () => {
    const { channel, socket, got, rig } = await listening();
    channel.on("message", () => {
      throw new Error("mine");
    });
    socket.say(messageAt(1), messageAt(2));
    expect(got).toEqual([1, 2]);
    expect(rig.reported).toMatchObject([{ message: "mine" }, { message: "mine" }]);
  });
});

describe("a refused channel", () => {
  it("throws the refusal from its iterator and is not asked for again [ERR-3]", async () => {
    const rig = createClientRig();
    await rig.welcome();
    const channel = rig.client.channel("a");
    const next = channel.messages().next();
    rig.socket.say({ t: "error", n: 1, code: "forbidden", message: "no", remedy: "ask" });
    await expect(next).rejects.toMatchObject({ code: "forbidden", remedy: "ask" });
    expect(channel.state).toMatchObject({ status: "refused", error: { code: "forbidden" } });
    rig.socket.close(1006);
    rig.clock.advance(500);
    expect((await rig.welcome()).filter(({ t }) => t === "attach")).toEqual([]);
  });

  it("is tried again after the time that the server asks for", async () => {
    const { socket, clock, channel } = await listening();
    socket.say({ t: "detached", c: 3, code: "overloaded" });
    expect(channel.state).toMatchObject({ status: "attaching", error: { code: "overloaded" } });
    expect(socket.take()).toEqual([]);
    clock.advance(500);
    expect(socket.take()).toEqual([{ t: "attach", n: 2, channel: "a", since: at(0) }]);
  });

  it("is asked for again by resume", async () => {
    const { socket, channel } = await listening();
    socket.say({ t: "detached", c: 3, code: "forbidden" });
    expect(channel.state.status).toBe("refused");
    channel.resume();
    expect(socket.take()).toEqual([{ t: "attach", n: 2, channel: "a", since: at(0) }]);
  });
});
