import { describe, expect, it } from "vitest";
import { grants, OPEN_GRANTS } from "../../src/core/grants.ts";
import type { AppendOutcome, Broker, NewMessage } from "../../src/core/ports.ts";
import type { ServerFrame } from "../../src/protocol/frames.ts";
import type { Limits } from "../../src/protocol/limits.ts";
import { PartylineError } from "../../src/protocol/errors.ts";
import { decodeText, encodeText } from "../../src/protocol/message.ts";
import { createReadingProbe } from "../../src/testing/reading-probe.ts";
import { createHarness, type Harness, settle } from "./harness.ts";

/** Sends publishes as a multiplexed connection does, and shows the answers in short. */
function connection(harness: Harness, mode: "commands" | "full" = "commands") {
  const probe = createReadingProbe();
  const welcome = { grants: OPEN_GRANTS, wait: undefined, quiet: undefined };
  const credentials = { token: undefined, header: () => undefined };
  const conversation = harness.engine.converse(
    probe,
    mode === "full" ? { mode, credentials } : { mode, welcome },
  );
  if (mode === "full") conversation.receive('{"t":"hello","v":1}');
  let n = 0;
  return {
    probe,
    conversation,
    publish: (id: string, more: Record<string, unknown> = {}): void => {
      const frame = { t: "publish", n: ++n, channel: "a", id, at: harness.engine.time(), data: id, ...more };
      conversation.receive(JSON.stringify(frame));
    },
    answers: (): string[] => probe.replies.splice(0).flatMap(describeReply),
  };
}

function describeReply(frame: ServerFrame): string[] {
  if (frame.t === "result") return [`${frame.n} ${frame.duplicate ? "duplicate" : "stored"}`];
  if (frame.t === "error") return [`${frame.n ?? "-"} ${frame.code}`];
  return [];
}

/** A broker whose appends are answered when the test says so. */
function slowBroker() {
  const calls: { messages: readonly NewMessage[]; answer(): void; fail(): void }[] = [];
  const wrap = (memory: Harness["memory"]): Broker => ({
    ...memory,
    append: (spec, messages) =>
      new Promise<AppendOutcome>((resolve, reject) => {
        calls.push({
          messages,
          answer: () => resolve(memory.append(spec, messages)),
          fail: () => reject(new Error("no answer")),
        });
      }),
  });
  return { calls, wrap };
}

describe("a publish", () => {
  it("is answered with its position, and a repeat with the same one, marked", () => {
    const harness = createHarness();
    const { publish, answers } = connection(harness);
    publish("x");
    publish("x");
    expect(answers()).toEqual(["1 stored", "2 duplicate"]);
    expect(harness.counters.snapshot()).toMatchObject({ published: { "": 1 }, duplicates: { "": 1 } });
  });

  it("that is refused holds those behind it until one is marked first [PUB-8]", () => {
    const harness = createHarness({ limits: { messageBytes: 10 } });
    const { publish, answers } = connection(harness);
    publish("one");
    publish("two", { data: "far too long for it" });
    publish("three");
    publish("four", { first: true });
    publish("five");
    expect(answers()).toEqual(["1 stored", "2 too-large", "3 again", "4 stored", "5 stored"]);
  });

  it("that is refused holds its own channel only", () => {
    const harness = createHarness({ limits: { messageBytes: 10 } });
    const { publish, answers } = connection(harness);
    publish("one", { data: "far too long for it" });
    publish("two", { channel: "b" });
    expect(answers()).toEqual(["1 too-large", "2 stored"]);
  });

  it("that can't even be read holds those behind it, and nobody else's [PUB-8]", async () => {
    const { calls, wrap } = slowBroker();
    const harness = createHarness({}, wrap);
    const mine = connection(harness);
    const other = connection(harness);
    mine.publish("x");
    calls.shift()?.answer();
    await settle();
    mine.publish("not an id");
    mine.publish("y");
    mine.publish("z");
    other.publish("theirs");
    for (let round = 0; round < 4; round++) {
      calls.shift()?.answer();
      await settle();
    }
    expect(mine.answers()).toEqual(["1 stored", "2 bad-id", "3 again", "4 again"]);
    expect(other.answers()).toEqual(["1 stored"]);
  });

  it("that the broker refuses is settled alone: what others sent with it is stored, what it holds is not [PUB-8] [PUB-14]", async () => {
    const { calls, wrap } = slowBroker();
    const harness = createHarness({}, wrap);
    const mine = connection(harness);
    const other = connection(harness);
    mine.publish("x");
    // These wait for the first and make one batch.
    mine.publish("x", { data: "other bytes" });
    mine.publish("y");
    other.publish("z");
    for (let round = 0; round < 4; round++) {
      calls.shift()?.answer();
      await settle();
    }
    expect(mine.answers()).toEqual(["1 stored", "2 id-reused", "3 again"]);
    expect(other.answers()).toEqual(["1 stored"]);
    expect(harness.memory.heads(["a"])[0]?.position.offset).toBe(2);
  });

  it("that waits is not held by the refusal of one that was sent after it [PUB-8]", async () => {
    const { calls, wrap } = slowBroker();
    const harness = createHarness({ limits: { messageBytes: 10 } }, wrap);
    const other = connection(harness);
    const mine = connection(harness, "full");
    other.publish("theirs");
    // Waits for the other's append, which is under way.
    mine.publish("one");
    mine.publish("two", { data: "far too long for it" });
    mine.publish("three");
    for (let round = 0; round < 3; round++) {
      calls.shift()?.answer();
      await settle();
    }
    expect(mine.answers()).toEqual(["2 too-large", "3 again", "1 stored"]);
  });

  it("before the one that the broker refuses is stored, and answered first [PUB-7] [PUB-14]", async () => {
    const { calls, wrap } = slowBroker();
    const harness = createHarness({}, wrap);
    const mine = connection(harness, "full");
    const other = connection(harness, "full");
    mine.publish("x");
    for (const id of ["p", "q"]) mine.publish(id);
    mine.publish("x", { data: "other bytes" });
    other.publish("theirs");
    mine.publish("r");
    for (let round = 0; round < 6; round++) {
      calls.shift()?.answer();
      await settle();
    }
    expect(mine.answers()).toEqual(["1 stored", "2 stored", "3 stored", "4 id-reused", "5 again"]);
    expect(other.answers()).toEqual(["1 stored"]);
  });

  it("is answered in the place of its line in a request of commands, whatever takes its time [CONN-3]", async () => {
    const { calls, wrap } = slowBroker();
    const harness = createHarness({ limits: { messageBytes: 10 } }, wrap);
    const { publish, answers, conversation } = connection(harness);
    publish("one");
    publish("two", { channel: "b", data: "far too long for it" });
    conversation.receive("no frame");
    publish("three", { channel: "c" });
    expect(answers()).toEqual([]);
    calls.pop()?.answer();
    await settle();
    expect(answers()).toEqual([]);
    calls.pop()?.answer();
    await settle();
    expect(answers()).toEqual(["1 stored", "2 too-large", "- bad-frame", "3 stored"]);
    expect(conversation.settled()).toBeUndefined();
  });

  it.each([
    ["refuses none that it was given", { is: "refused", index: 7, error: new PartylineError("invalid", "") }],
    ["gives fewer results than messages", { is: "stored", results: [] }],
  ] as const)("is uncertain where the broker %s [PUB-16]", (_name, outcome) => {
    const harness = createHarness({}, (memory) => ({ ...memory, append: () => outcome }));
    const { publish, answers, conversation } = connection(harness);
    publish("a");
    expect(answers()).toEqual(["1 uncertain"]);
    expect(conversation.settled()).toBeUndefined();
  });

  it("waits for the append under way and goes with the next batch [PUB-15]", async () => {
    const { calls, wrap } = slowBroker();
    const harness = createHarness({}, wrap);
    const { publish, answers } = connection(harness);
    for (const id of ["a", "b", "c"]) publish(id);
    expect(calls.map((call) => call.messages.length)).toEqual([1]);
    calls[0]?.answer();
    await settle();
    expect(calls.map((call) => call.messages.length)).toEqual([1, 2]);
    calls[1]?.answer();
    await settle();
    expect(answers()).toEqual(["1 stored", "2 stored", "3 stored"]);
  });

  it("is uncertain where the broker does not say whether it was stored [PUB-16]", async () => {
    const { calls, wrap } = slowBroker();
    const harness = createHarness({}, wrap);
    const { publish, answers, conversation } = connection(harness);
    publish("a");
    publish("b");
    calls[0]?.fail();
    await settle();
    expect(answers()).toEqual(["1 uncertain", "2 again"]);
    expect(conversation.settled()).toBeUndefined();
    expect(harness.logged).toContain("append failed");
  });

  it("is refused, and not queued without end, while the broker does not answer [LIM-1]", () => {
    const { wrap } = slowBroker();
    const harness = createHarness({ limits: { pendingPublishes: 2 } }, wrap);
    const { publish, answers } = connection(harness, "full");
    for (const id of ["a", "b", "c", "d"]) publish(id);
    expect(answers()).toEqual(["4 overloaded"]);
  });

  it("above the rate is refused with the time to wait [GATE-11]", () => {
    const harness = createHarness({ limits: { commandsPerSecond: 1, commandBurst: 2 } });
    const { publish, answers, probe } = connection(harness);
    for (const id of ["a", "b", "c"]) publish(id);
    expect(probe.replies.at(-1)).toMatchObject({ code: "rate-limited", retryAfter: 1 });
    harness.clock.advance(1_000);
    publish("c", { first: true });
    expect(answers()).toEqual(["1 stored", "2 stored", "3 rate-limited", "4 stored"]);
  });
});

describe("the checks before a publish is stored", () => {
  const refusal = (
    harness: Harness,
    channel: string,
    kind: "auto" | "json" | "binary",
    data: string,
  ): string => {
    try {
      void harness.engine.publish({ channel, kind, data: encodeText(data) }, OPEN_GRANTS);
      return "stored";
    } catch (error) {
      return error instanceof PartylineError ? error.code : String(error);
    }
  };

  it("ask for the grant to publish to this channel [PUB-19]", () => {
    const harness = createHarness();
    const allowed = grants({ a: ["publish"], b: ["subscribe"] });
    const publish = (channel: string) => () =>
      harness.engine.publish({ channel, kind: "auto", data: encodeText("x") }, allowed);
    expect(publish("a")).not.toThrow();
    expect(publish("b")).toThrow(expect.objectContaining({ code: "forbidden" }));
    expect(() => harness.engine.remove("b", "key", allowed)).toThrow(
      expect.objectContaining({ code: "forbidden" }),
    );
  });

  it("refuse a key that is longer than keys may be [MSG-11]", () => {
    const harness = createHarness({ channels: { prices: { keep: "latest" } } });
    expect(() => harness.publish("prices", "1", "k".repeat(256))).toThrow(/more than 255/);
    expect(() => harness.engine.remove("prices", "k".repeat(256), OPEN_GRANTS)).toThrow(/more than 255/);
    for (const key of ["k".repeat(255), ""]) expect(() => harness.publish("prices", "1", key)).not.toThrow();
  });

  it("let only the server publish where the definition says so [PUB-19]", () => {
    const harness = createHarness({ channels: { scores: { publish: "server" } } });
    expect(refusal(harness, "scores", "auto", "1:0")).toBe("forbidden");
    expect(harness.publish("scores", "1:0").position.offset).toBe(1);
  });

  it("hold a message against the channel's schema and keep its bytes [PUB-18]", () => {
    const schema = {
      "~standard": {
        version: 1 as const,
        vendor: "test",
        validate: (value: unknown) =>
          typeof value === "object" && value !== null && "text" in value
            ? { value: { replaced: true } }
            : { issues: [{ message: "is missing", path: ["text"] }] },
      },
    };
    const harness = createHarness({ channels: { chat: { message: schema } } });
    expect(refusal(harness, "chat", "auto", '{"txt":1}')).toBe("invalid");
    expect(refusal(harness, "chat", "auto", "hello")).toBe("bad-json");
    expect(refusal(harness, "chat", "binary", '{"text":1}')).toBe("invalid");
    expect(refusal(harness, "chat", "json", '{ "text": 1.0 }')).toBe("stored");
    const page = harness.memory.read(
      {
        name: "chat",
        keep: "history",
        retention: { count: 9, bytes: 9_999, age: 9_999 },
        maxKeys: 1,
        idleAge: 1,
      },
      { at: "earliest" },
      { messages: 1, bytes: 1 },
    );
    expect(decodeText(page?.entries[0]?.data ?? new Uint8Array())).toBe('{ "text": 1.0 }');
  });

  it("refuse a deletion on a channel that does not keep the latest [KEEP-10]", () => {
    const harness = createHarness();
    expect(() => harness.engine.remove("a", "key", OPEN_GRANTS)).toThrow(
      expect.objectContaining({ code: "wrong-method" }),
    );
  });

  it("refuse a message that is too large on every way in [MSG-5]", () => {
    const limits: Partial<Limits> = { messageBytes: 4 };
    expect(refusal(createHarness({ limits }), "a", "auto", "12345")).toBe("too-large");
    expect(refusal(createHarness({ limits }), "a", "auto", "1234")).toBe("stored");
  });

  it("refuse to start where a message may be larger than what is kept [KEEP-4]", () => {
    expect(() => createHarness({ channels: { a: { retention: { bytes: 1_000 } } } })).toThrow(
      /raise retention.bytes/,
    );
  });
});
