import { describe, expect, it } from "vitest";
import { grants as grantTable, OPEN_GRANTS } from "../../src/core/grants.ts";
import { historyEntries } from "../../src/core/history.ts";
import type {
  Authenticate,
  Conversation,
  Credentials,
  Grants,
  TalkingConnection,
} from "../../src/core/ports.ts";
import { PartylineError } from "../../src/protocol/errors.ts";
import { createReadingProbe, type ReadingProbe } from "../../src/testing/reading-probe.ts";
import { createHarness, type Harness, settle } from "./harness.ts";

const NOBODY: Credentials = { token: undefined, header: () => undefined };

function talk(harness: Harness): {
  probe: ReadingProbe;
  conversation: Conversation;
  say: (frame: unknown) => void;
} {
  const probe = createReadingProbe();
  const conversation = harness.engine.converse(probe, { mode: "full", credentials: NOBODY });
  return { probe, conversation, say: (frame) => conversation.receive(JSON.stringify(frame)) };
}

describe("hello", () => {
  it("is answered with welcome, the server's time and limits [WIRE-5]", () => {
    const harness = createHarness();
    const { probe, say } = talk(harness);
    say({ t: "hello", v: 1 });
    expect(probe.replies).toEqual([
      {
        t: "welcome",
        v: 1,
        time: harness.engine.time(),
        limits: { messageBytes: 65_536, channelsPerConnection: 256 },
      },
    ]);
  });

  it("has to come first", () => {
    const { probe, say } = talk(createHarness());
    say({ t: "ping", n: 1 });
    expect(probe.closedBy).toMatchObject({ code: "bad-frame" });
  });

  it("of another version closes the connection [WIRE-6]", () => {
    const { probe, say } = talk(createHarness());
    say({ t: "hello", v: 2 });
    expect(probe.closedBy).toMatchObject({ code: "version" });
  });

  it("has to come within its time and size [WS-11]", () => {
    const harness = createHarness();
    const silent = talk(harness);
    const greeted = talk(harness);
    greeted.say({ t: "hello", v: 1 });
    harness.clock.advance(11_000);
    expect(silent.probe.closedBy).toMatchObject({ code: "unauthorized" });
    expect(greeted.probe.closedBy).toBeUndefined();
    const long = talk(harness);
    long.say({ t: "hello", v: 1, token: "x".repeat(16 * 1024) });
    expect(long.probe.closedBy).toMatchObject({ code: "too-large" });
  });

  it("holds what was sent behind it until somebody has decided who it is", async () => {
    let decide = (_grants: Grants): void => {};
    const authenticate: Authenticate = () =>
      new Promise((resolve) => (decide = (grants) => resolve({ grants })));
    const { probe, say } = talk(createHarness({ authenticate }));
    say({ t: "hello", v: 1, token: "t" });
    say({ t: "attach", n: 1, channel: "a" });
    expect(probe.replies).toEqual([]);
    decide(OPEN_GRANTS);
    await settle();
    expect(probe.replies.map((frame) => frame.t)).toEqual(["welcome", "attached"]);
  });

  it("that is not believed closes the connection without a word about why inside", async () => {
    const authenticate: Authenticate = () =>
      Promise.reject(new PartylineError("unauthorized", "No such token."));
    const { probe, say } = talk(createHarness({ authenticate }));
    say({ t: "hello", v: 1, token: "t" });
    await settle();
    expect(probe.closedBy).toMatchObject({ code: "unauthorized" });
    expect(probe.replies).toEqual([]);
  });
});

describe("a conversation", () => {
  const greeted = (harness = createHarness()) => {
    const parts = talk(harness);
    parts.say({ t: "hello", v: 1 });
    parts.probe.replies.length = 0;
    return { harness, ...parts };
  };

  it("answers an attach before its first message, with the channel's number [ATT-2] [WIRE-9]", () => {
    const { harness, probe, say } = greeted();
    const { position } = harness.publish("a", "one");
    say({ t: "attach", n: 1, channel: "a", since: "earliest" });
    expect(probe.replies).toEqual([
      {
        t: "attached",
        n: 1,
        channel: "a",
        c: 1,
        position: `${position.epoch}:0`,
        head: `${position.epoch}:1`,
        replayed: 1,
        keep: "history",
      },
    ]);
    expect(probe.takeLog()).toEqual(["1:one"]);
  });

  it("answers what it can't read, naming the command where it can, and goes on [WIRE-3]", () => {
    const { probe, conversation, say } = greeted();
    conversation.receive("not json");
    say({ t: "dance", n: 4 });
    say({ t: "attach", n: 5 });
    say({ t: "ping", n: 6 });
    expect(probe.replies.map((frame) => (frame.t === "error" ? [frame.n, frame.code] : [frame.t]))).toEqual([
      [undefined, "bad-frame"],
      [4, "bad-frame"],
      [5, "bad-frame"],
      ["pong"],
    ]);
  });

  it("counts lines that are no frames among its commands [GATE-11]", () => {
    const { engine } = createHarness({ limits: { commandsPerSecond: 1, commandBurst: 2 } });
    const probe = createReadingProbe();
    const welcome = { grants: OPEN_GRANTS, wait: undefined, quiet: undefined };
    const conversation = engine.converse(probe, { mode: "commands", welcome });
    probe.replies.length = 0;
    for (let count = 0; count < 3; count++) conversation.receive("not json");
    expect(probe.replies.map((frame) => frame.t === "error" && frame.code)).toEqual([
      "bad-frame",
      "bad-frame",
      "rate-limited",
    ]);
  });

  it("answers every command exactly once, with its number [WIRE-7]", () => {
    const { probe, say, conversation } = greeted();
    say({ t: "attach", n: 1, channel: "a" });
    say({ t: "publish", n: 2, channel: "a", id: "x", at: 0, data: 1 });
    say({ t: "detach", n: 3, channel: "a" });
    say({ t: "ping", n: 4 });
    say({ t: "token", n: 5, token: "t" });
    say({ t: "attach", n: 6, channel: "a//b" });
    say({ t: "attach", n: 7, channel: "a", since: "nonsense" });
    expect(probe.replies.map((frame) => ("n" in frame ? [frame.n, frame.t] : frame.t))).toEqual([
      [1, "attached"],
      [2, "result"],
      [3, "result"],
      [4, "pong"],
      [5, "result"],
      [6, "error"],
      [7, "error"],
    ]);
    expect(conversation.settled()).toBeUndefined();
  });

  it("sends nothing of a channel after the answer to its detach [WIRE-10]", () => {
    const { harness, probe, say } = greeted();
    say({ t: "attach", n: 1, channel: "a" });
    harness.publish("a", "one");
    say({ t: "detach", n: 2, channel: "a" });
    harness.clock.turn();
    expect(probe.takeLog()).toEqual([]);
  });

  it("detaches a channel under any spelling of its name [NAME-4] [WIRE-10]", () => {
    const { harness, probe, say } = greeted();
    say({ t: "attach", n: 1, channel: "caf\u00e9" });
    say({ t: "detach", n: 2, channel: "cafe\u0301" });
    harness.publish("caf\u00e9", "one");
    harness.clock.turn();
    expect(probe.takeLog()).toEqual([]);
  });

  it("writes the answer to an attach before the channel's first message [ATT-2]", () => {
    const harness = createHarness();
    harness.publish("a", "one");
    const written: string[] = [];
    const probe = createReadingProbe();
    const connection: TalkingConnection = {
      ...probe,
      reply(frame) {
        written.push(frame.t);
        return true;
      },
      write(outgoing) {
        written.push(outgoing.item.is);
        return true;
      },
    };
    const conversation = harness.engine.converse(connection, { mode: "full", credentials: NOBODY });
    conversation.receive('{"t":"hello","v":1}');
    conversation.receive('{"t":"attach","n":1,"channel":"a","since":"earliest"}');
    expect(written).toEqual(["welcome", "attached", "messages"]);
  });

  it("gives nothing to a peer whose socket its answers have filled, before it drains [ATT-5]", () => {
    const harness = createHarness();
    const probe = createReadingProbe();
    const connection: TalkingConnection = {
      ...probe,
      reply: (frame) => probe.reply(frame) && frame.t !== "pong",
    };
    const conversation = harness.engine.converse(connection, { mode: "full", credentials: NOBODY });
    conversation.receive('{"t":"hello","v":1}');
    conversation.receive('{"t":"attach","n":1,"channel":"a"}');
    conversation.receive('{"t":"ping","n":2}');
    harness.publish("a", "one");
    harness.clock.turn();
    expect(probe.takeLog()).toEqual([]);
    conversation.drained();
    expect(probe.takeLog()).toEqual(["1:one"]);
  });

  it("is not made to remember the names of channels that can't be, nor of any number that can", () => {
    const { probe, say } = greeted();
    const publish = (n: number, channel: string): void =>
      say({ t: "publish", n, channel, id: "not an id", at: 0, data: 1 });
    for (let n = 0; n < 2_000; n++) publish(n, `a//${n}`);
    expect(probe.closedBy).toBeUndefined();
    for (let n = 0; n < 2_000; n++) publish(n, `a/${n}`);
    expect(probe.closedBy).toMatchObject({ code: "overloaded" });
  });

  it("is read no further while more than a little waits for what is being decided, and then goes on", async () => {
    const opened: (() => void)[] = [];
    const harness = createHarness({}, (memory) => ({
      ...memory,
      subscribe: (...args) => new Promise((resolve) => opened.push(() => resolve(memory.subscribe(...args)))),
    }));
    const { probe, say } = greeted(harness);
    const stems: boolean[] = [];
    Object.assign(probe, { stem: (stemmed: boolean) => stems.push(stemmed) });
    say({ t: "attach", n: 1, channel: "a" });
    for (let n = 2; n < 300; n++) say({ t: "publish", n, channel: "a", id: `i${n}`, at: 0, data: n });
    expect(stems).toEqual([true]);
    for (const open of opened) open();
    await settle();
    expect(stems).toEqual([true, false]);
    expect(probe.replies.filter(({ t }) => t === "result")).toHaveLength(298);
  });

  it.each([
    ["lines", 1_025, "x"],
    ["bytes", 100, "x".repeat(50_000)],
  ])("ends where too many %s are sent while something is being decided", (_name, count, data) => {
    const harness = createHarness({}, (memory) => ({ ...memory, subscribe: () => new Promise(() => {}) }));
    const { probe, say } = greeted(harness);
    say({ t: "attach", n: 1, channel: "a" });
    say({ t: "publish", n: 2, channel: "a", id: "x", at: 0, data });
    expect(probe.closedBy).toBeUndefined();
    for (let n = 3; n < 3 + count; n++) say({ t: "publish", n, channel: "a", id: "x", at: 0, data });
    expect(probe.closedBy).toMatchObject({ code: "overloaded" });
  });

  it("detaches alone what a new token no longer allows", () => {
    const authenticate: Authenticate = ({ token }) => ({
      grants: token === "less" ? grantTable({ b: ["subscribe"] }) : OPEN_GRANTS,
    });
    const { harness, probe, say } = greeted(createHarness({ authenticate }));
    say({ t: "attach", n: 1, channel: "a" });
    say({ t: "attach", n: 2, channel: "b" });
    say({ t: "token", n: 3, token: "less" });
    harness.publish("a", "secret");
    harness.publish("b", "open");
    harness.clock.turn();
    expect(probe.takeLog()).toEqual(["detached forbidden", "1:open"]);
    probe.replies.length = 0;
    say({ t: "attach", n: 4, channel: "a" });
    say({ t: "publish", n: 5, channel: "b", id: "x", at: 0, data: 1 });
    expect(probe.replies).toMatchObject([
      { n: 4, code: "forbidden" },
      { n: 5, code: "forbidden" },
    ]);
  });

  it("refuses an attach among the commands of a request, and a command among its channels [CONN-5]", () => {
    const harness = createHarness();
    const welcome = { grants: OPEN_GRANTS, wait: undefined, quiet: undefined };
    const commands = createReadingProbe();
    harness.engine
      .converse(commands, { mode: "commands", welcome })
      .receive('{"t":"attach","n":1,"channel":"a"}');
    const channels = createReadingProbe();
    harness.engine.converse(channels, { mode: "channels", welcome }).receive('{"t":"ping","n":1}');
    expect([commands.replies.at(-1), channels.replies.at(-1)]).toMatchObject([
      { t: "error", n: 1, code: "bad-frame" },
      { t: "error", n: 1, code: "bad-frame" },
    ]);
  });
});

describe("a long poll", () => {
  const poll = (harness: Harness, since: string | undefined, wait: number, signal?: AbortSignal) =>
    Promise.resolve(
      harness.engine.history(
        {
          channel: "a",
          since: since === undefined ? undefined : { at: "position", position: { epoch: since, offset: 0 } },
          limit: 100,
          wait,
          ...(signal ? { signal } : {}),
        },
        OPEN_GRANTS,
      ),
    );

  it("answers with all that came in the turn of the first message [HTTP-15]", async () => {
    const harness = createHarness();
    const answer = poll(harness, undefined, 5_000);
    await Promise.resolve();
    harness.publish("a", "one");
    harness.publish("a", "two");
    harness.clock.turn();
    expect(historyEntries(await answer).map((entry) => entry.offset)).toEqual([1, 2]);
  });

  it("answers empty, at its position, when the time is up", async () => {
    const harness = createHarness();
    const { position } = harness.publish("a", "one");
    const answer = poll(harness, undefined, 5_000);
    await Promise.resolve();
    harness.clock.advance(5_000);
    expect(await answer).toMatchObject({ pages: [], position, head: position, more: false });
  });

  it("answers at once where there is something already, or a gap", async () => {
    const harness = createHarness();
    const { epoch } = harness.publish("a", "one").position;
    expect(historyEntries(await poll(harness, epoch, 5_000))).toHaveLength(1);
    expect((await poll(harness, "0".repeat(12), 5_000)).gap).toMatchObject({ reason: "epoch" });
  });

  it("answers a state whose deletions were forgotten on the way with what is left of it", async () => {
    const far: (() => void)[] = [];
    const harness = createHarness(
      { channels: { a: { keep: "latest", retention: { age: 1_000 } } } },
      (memory) => ({
        ...memory,
        read: (spec, since, limit) => {
          const page = memory.read(spec, since, limit);
          return new Promise((resolve) => far.push(() => resolve(page)));
        },
      }),
    );
    harness.publish("a", "1", "kept");
    harness.publish("a", "2", "gone");
    void harness.engine.remove("a", "gone", OPEN_GRANTS);
    const answer = poll(harness, undefined, 5_000);
    far.shift()?.();
    harness.clock.advance(1_500);
    await settle();
    while (far.length > 0) {
      far.shift()?.();
      await settle();
    }
    expect(historyEntries(await answer).map((entry) => entry.offset)).toEqual([1]);
  });

  it("ends, and lets go of the channel, when nobody waits for it any more", async () => {
    const harness = createHarness();
    const caller = new AbortController();
    const answer = poll(harness, undefined, 5_000, caller.signal);
    await Promise.resolve();
    caller.abort();
    expect(historyEntries(await answer)).toEqual([]);
    await harness.engine.close();
    expect(harness.clock.timers).toBe(0);
  });
});
