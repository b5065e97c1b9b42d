import { describe, expect, it } from "vitest";
import type { ChannelOptions, ClientState } from "../../src/client/index.ts";
import { DEFAULT_LIMITS } from "../../src/protocol/limits.ts";
import { createTabWorld, type Tab } from "./tab-world.ts";

/** What a tab reads of a channel, as it comes. */
function read(tab: Tab, channel = "a", options: ChannelOptions = {}): unknown[] {
  const got: unknown[] = [];
  const opened = tab.client.channel(channel, { onGap: "continue", ...options });
  opened.on("gap", ({ reason }) => got.push(`gap ${reason}`));
  opened.on("message", ({ data }) => got.push(data));
  return got;
}

const roles = (...tabs: Tab[]): unknown[] => tabs.map(({ client }) => client.state.shared);
const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => `${from + index}`);

describe("tabs that share", () => {
  it("have one connection, and each gets every message", async () => {
    const world = createTabWorld();
    const tabs = Array.from({ length: 10 }, () => world.openTab());
    const got = tabs.map((tab) => read(tab));
    await world.pass(100);
    expect(tabs.map(({ client }) => client.state)).toMatchObject(
      tabs.map((_, index) => ({
        status: "live",
        transport: "ws",
        shared: index === 0 ? "leader" : "follower",
      })),
    );
    for (const text of numbers(1, 20)) void world.publish("a", text);
    await world.rest();
    expect(got).toEqual(tabs.map(() => numbers(1, 20)));
    expect([world.connections, world.opened]).toEqual([1, 1]);
  });

  it("have times in their state by their own clocks", async () => {
    const world = createTabWorld();
    const [leader, follower] = [world.openTab(), world.openTab()];
    await world.pass(500);
    expect([leader.client.state.since, follower.client.state.since]).toEqual([
      leader.now() - 500,
      follower.now() - 500,
    ]);
  });

  it("publish in their own order, and each learns what became of its own", async () => {
    const world = createTabWorld();
    const tabs = [world.openTab(), world.openTab(), world.openTab()];
    const got = read(tabs[0] as Tab);
    await world.pass(100);
    const results = tabs.map(({ client }, tab) =>
      [1, 2, 3].map((n) => client.channel("a").publish(`${tab}: ${n}`)),
    );
    await world.rest();
    for (const [tab, published] of results.entries()) {
      const own = (await Promise.all(published)).map(({ position }) => Number(position.split(":")[1]));
      expect(own.map((offset) => got[offset - 1])).toEqual([1, 2, 3].map((n) => `${tab}: ${n}`));
    }
  });

  it("have each publish sent once, where the connection breaks while it is on its way to the leader", async () => {
    const world = createTabWorld();
    const [leader, follower] = [world.openTab({ baseDelay: 50 }), world.openTab()];
    const got = read(leader);
    await world.pass(100);
    const sent = follower.client.channel("a").publish("one");
    const held = world.busy();
    expect(held).toHaveLength(1);
    world.cut();
    // For less long than the follower takes a silent leader to be there.
    await world.pass(500, 50, held);
    expect(world.opened).toBe(2);
    await world.rest();
    expect(await sent).toMatchObject({ duplicate: false });
    expect(got).toEqual(["one"]);
    expect(world.counters.snapshot().duplicates).toBeUndefined();
  });

  it("that come late, or were away, catch up beside the connection, which goes on where it is", async () => {
    const world = createTabWorld();
    const first = world.openTab();
    const live = read(first);
    for (const text of numbers(1, 400)) void world.publish("a", text);
    await world.pass(100);
    const late = [
      read(world.openTab(), "a", { since: "last:3" }),
      read(world.openTab(), "a", { since: "earliest" }),
      read(world.openTab(), "a"),
    ];
    await world.pass(100);
    for (const text of numbers(401, 402)) void world.publish("a", text);
    await world.rest();
    expect(live).toEqual(numbers(401, 402));
    expect(late).toEqual([numbers(398, 402), numbers(1, 402), numbers(401, 402)]);
    expect(world.connections).toBe(1);
  });

  it("follow a state, each its own and from its own position", async () => {
    const world = createTabWorld();
    const tabs = [world.openTab(), world.openTab()];
    const snapshot = () => ({
      state: world.stored.map(({ text }) => text),
      position: world.head("a") ?? "",
    });
    const follow = (tab: Tab) =>
      tab.client.channel("a").follow({ snapshot, reduce: (texts, { data }) => [...texts, String(data)] });
    await world.publish("a", "1");
    const first = await follow(tabs[0] as Tab);
    await world.rest();
    for (const text of numbers(2, 5)) void world.publish("a", text);
    const second = await follow(tabs[1] as Tab);
    await world.rest();
    for (const text of numbers(6, 9)) void world.publish("a", text);
    await world.rest();
    for (const { current } of [first, second])
      expect(current).toMatchObject({ status: "live", state: numbers(1, 9) });
    expect(world.connections).toBe(1);
    await Promise.all(tabs.map(({ client }) => client.close()));
    expect([first, second].map(({ current }) => current.status)).toEqual(["closed", "closed"]);
  });

  it("are told of gaps and refusals that are theirs, and of no others", async () => {
    const world = createTabWorld({ channels: { a: { retention: { count: 5 } } } });
    const first = world.openTab();
    const got = read(first, "a", { since: "earliest" });
    for (const text of numbers(1, 9)) void world.publish("a", text);
    await world.pass(100);
    const epoch = first.client.channel("a").position?.split(":")[0];
    const behind = world.openTab();
    const gotBehind = read(behind, "a", { since: `${epoch}:2` });
    const wrong = world.openTab();
    read(wrong, "a", { since: "yesterday" });
    const foreign = world.openTab();
    read(foreign, "b");
    await world.pass(100);
    expect(gotBehind).toEqual(["gap retention", ...numbers(5, 9)]);
    expect(got).toEqual(numbers(5, 9));
    expect(wrong.client.channel("a").state).toMatchObject({
      status: "refused",
      error: { code: "bad-position" },
    });
    expect(foreign.client.channel("b").state).toMatchObject({ error: { code: "unknown-channel" } });
    expect(first.client.channel("a").state.status).toBe("attached");
  });

  it("get as many messages as the quickest of them asks for", async () => {
    const world = createTabWorld();
    const slow = read(world.openTab(), "a", { maxRate: 0.5 });
    await world.pass(100);
    for (const text of numbers(1, 4)) void world.publish("a", text);
    await world.pass(100);
    expect(slow.length).toBeLessThan(4);
    await world.pass(10_000);
    const quick = read(world.openTab(), "a");
    await world.pass(100);
    for (const text of numbers(5, 8)) void world.publish("a", text);
    await world.pass(100);
    expect(quick).toEqual(numbers(5, 8));
    expect(slow.slice(-4)).toEqual(numbers(5, 8));
  });

  it("are all closed by a server that wants none of them", async () => {
    const world = createTabWorld({
      authenticate: () => Promise.reject(new Error("Nobody may.")),
    });
    const tabs = [world.openTab(), world.openTab()];
    await world.pass(100);
    expect(tabs.map(({ client }) => client.state.status)).not.toContain("live");
    for (const { client } of tabs) await client.close();
    await world.pass(100);
    expect(world.leftovers()).toEqual([]);
  });

  it("leave nothing behind when they close", async () => {
    const world = createTabWorld();
    const tabs = [world.openTab(), world.openTab(), world.openTab()];
    for (const tab of tabs) read(tab, "a", { since: "earliest" });
    await world.pass(100);
    for (const { client } of tabs) await client.close();
    await world.rest();
    expect([world.connections, world.leftovers()]).toEqual([0, []]);
    expect(tabs.map(({ client }) => client.state.status)).toEqual(["closed", "closed", "closed"]);
  });
});

describe("when the leader goes", () => {
  it.each([
    { way: "dies", go: (tab: Tab) => tab.kill() },
    { way: "closes its client", go: (tab: Tab) => void tab.client.close() },
    { way: "is left for another page", go: (tab: Tab) => tab.leave() },
    { way: "is frozen", go: (tab: Tab) => tab.rest() },
  ])("because its tab $way, another tab goes on within a second, and nothing is lost", async ({ go }) => {
    const world = createTabWorld();
    const [leader, ...others] = [world.openTab(), world.openTab(), world.openTab()];
    const got = others.map((tab) => read(tab));
    await world.pass(100);
    const before = world.publish("a", "before");
    await before;
    go(leader);
    const sent = others.map(({ client }, index) => client.channel("b").publish(index));
    void world.publish("a", "meanwhile");
    await world.pass(1_000);
    void world.publish("a", "after");
    await world.rest();
    expect(got).toEqual(others.map(() => ["before", "meanwhile", "after"]));
    expect(await Promise.all(sent)).toMatchObject([{ duplicate: false }, { duplicate: false }]);
    expect(roles(...others)).toEqual(["leader", "follower"]);
    expect(world.connections).toBe(1);
  });

  it("hanging, another tab steals its place; when it goes on, it follows", async () => {
    const world = createTabWorld();
    const [leader, ...others] = [world.openTab(), world.openTab(), world.openTab()];
    const got = [leader, ...others].map((tab) => read(tab));
    await world.pass(100);
    leader.freeze();
    void world.publish("a", "one");
    await world.pass(4_000);
    expect(got).toEqual([[], ["one"], ["one"]]);
    leader.thaw();
    await world.pass(1_000);
    void world.publish("a", "two");
    await world.rest();
    expect(got).toEqual([
      ["one", "two"],
      ["one", "two"],
      ["one", "two"],
    ]);
    expect(roles(leader)).toEqual(["follower"]);
    expect(roles(...others)).toContain("leader");
    expect(world.connections).toBe(1);
  });

  it("and comes back to its page, it follows", async () => {
    const world = createTabWorld();
    const [leader, follower] = [world.openTab(), world.openTab()];
    const got = read(leader);
    await world.pass(100);
    leader.leave();
    expect(leader.client.state.status).toBe("offline");
    await world.pass(500);
    void world.publish("a", "unseen");
    leader.comeBack();
    await world.pass(500);
    expect(got).toEqual(["unseen"]);
    expect(roles(leader, follower)).toEqual(["follower", "leader"]);
  });

  it("its followers say that they reconnect, and why", async () => {
    const world = createTabWorld();
    const [leader, follower] = [world.openTab(), world.openTab()];
    const states: ClientState[] = [];
    await world.pass(100);
    follower.client.on("state", (state) => states.push(state));
    leader.kill();
    await world.pass(1_000);
    expect(states.map(({ status }) => status)).toEqual(expect.arrayContaining(["reconnecting", "live"]));
    expect(states.find(({ status }) => status === "reconnecting")).toMatchObject({
      reason: { code: "offline", message: "The tab with the connection has gone." },
    });
  });
});

describe("a tab that takes nothing", () => {
  it("is let go before much waits for it, and reads on from its place when it wakes", async () => {
    const world = createTabWorld();
    const [leader, asleep] = [world.openTab(), world.openTab()];
    const got = read(leader);
    const gotLate = read(asleep);
    await world.pass(100);
    asleep.freeze();
    const large = "x".repeat(60_000);
    const publish = async (count: number): Promise<void> => {
      for (let n = 0; n < count; n++) {
        void world.publish("a", `${n}${large}`);
        await world.rest();
      }
    };
    await publish(30);
    const { waiting } = world;
    await publish(50);
    expect(got).toHaveLength(80);
    expect(world.waiting).toBe(waiting);
    asleep.thaw();
    await world.pass(4_000);
    expect(gotLate).toEqual(got);
  });
});

describe("identity", () => {
  it("is the token: tabs with another one have a connection of their own", async () => {
    const world = createTabWorld();
    const tabs = ["ada", "grace", "ada"].map((token) => world.openTab({ share: true, token }));
    await world.pass(100);
    expect(roles(...tabs)).toEqual(["leader", "leader", "follower"]);
    expect(world.connections).toBe(2);
  });

  it("is the headers too, in any order", async () => {
    const world = createTabWorld();
    const tabs = [{ a: "1", b: "2" }, { b: "2", a: "1" }, { a: "1" }].map((headers) =>
      world.openTab({ share: true, headers }),
    );
    await world.pass(100);
    expect(roles(...tabs)).toEqual(["leader", "follower", "leader"]);
  });

  it("is the name that is given in their place, whatever the tokens are", async () => {
    const world = createTabWorld();
    const tabs = ["1", "2"].map((token) => world.openTab({ share: "ada", token: () => token }));
    await world.pass(100);
    expect(roles(...tabs)).toEqual(["leader", "follower"]);
  });

  it.each([0, 1])("moves tab %i away when its token comes to name somebody else", async (moved) => {
    const world = createTabWorld();
    const tokens = ["ada", "ada"];
    const tabs = tokens.map((_, index) => world.openTab({ share: true, token: () => tokens[index] }));
    const got = tabs.map((tab) => read(tab));
    await world.pass(100);
    expect(world.connections).toBe(1);
    tokens[moved] = "grace";
    world.cut();
    await world.pass(3_000);
    void world.publish("a", "one");
    await world.rest();
    expect(roles(...tabs)).toEqual(["leader", "leader"]);
    expect(got).toEqual([["one"], ["one"]]);
    expect(world.connections).toBe(2);
  });

  it("waits for a token that can't be had yet", async () => {
    const world = createTabWorld();
    let fails = 3;
    const tab = world.openTab({
      share: true,
      token: () => (fails-- > 0 ? Promise.reject(new Error("not yet")) : "ada"),
    });
    await world.pass(5_000);
    expect(tab.client.state.status).toBe("live");
  });
});

describe("a tab that is left and come back to", () => {
  it("while its token is on the way joins once", async () => {
    const world = createTabWorld();
    let come = (_token: string): void => undefined;
    const token = new Promise<string>((resolve) => (come = resolve));
    const tab = world.openTab({ share: true, token: () => token });
    await world.pass(100);
    tab.leave();
    tab.comeBack();
    come("ada");
    await world.pass(100);
    expect([tab.client.state.status, ...roles(tab)]).toEqual(["live", "leader"]);
    await tab.client.close();
    await world.rest();
    expect([world.connections, world.leftovers()]).toEqual([0, []]);
  });
});

describe("a tab is alone", () => {
  it("where the page has no way to share", async () => {
    const world = createTabWorld();
    const tabs = [world.openTab({}, false), world.openTab({}, false)];
    const got = tabs.map((tab) => read(tab));
    await world.pass(100);
    void world.publish("a", "one");
    await world.rest();
    expect(roles(...tabs)).toEqual(["alone", "alone"]);
    expect(got).toEqual([["one"], ["one"]]);
    await tabs[0]?.client.close();
    expect(tabs[0]?.client.state.status).toBe("closed");
  });

  it("where all tabs together want more channels than a connection may have", async () => {
    const world = createTabWorld({ limits: { ...DEFAULT_LIMITS, channelsPerConnection: 2 } });
    const tabs = [world.openTab(), world.openTab()];
    const got = [read(tabs[0] as Tab, "a"), read(tabs[0] as Tab, "b"), read(tabs[1] as Tab, "c")];
    await world.pass(500);
    for (const name of ["a", "b", "c"]) void world.publish(name, name);
    await world.rest();
    expect(got).toEqual([["a"], ["b"], ["c"]]);
    expect(roles(...tabs)).toEqual(["leader", "alone"]);
  });
});
