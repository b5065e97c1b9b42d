/** A broker whose answers take their time, or never come: what is asked meanwhile must not suffer from it. */
import { describe, expect, it } from "vitest";
import { OPEN_GRANTS } from "../../src/core/grants.ts";
import type { AttachAnswer, Broker, MaybePromise, Reader } from "../../src/core/ports.ts";
import { parseSince } from "../../src/protocol/position.ts";
import { createReadingProbe, type ReadingProbe } from "../../src/testing/reading-probe.ts";
import { createHarness, type Harness, settle } from "./harness.ts";

type Call = "subscribe" | "read" | "heads";

/** Holds back the answers of some calls until the test lets them go, or fail. */
class Far {
  readonly held: { readonly call: Call; answer(): void; fail(): void }[] = [];
  subscriptions = 0;
  readonly #calls: readonly Call[];

  constructor(...calls: Call[]) {
    this.#calls = calls;
  }

  readonly wrap = (memory: Harness["memory"]): Broker => ({
    ...memory,
    subscribe: (spec, listener) =>
      this.#later("subscribe", () => {
        this.subscriptions++;
        const subscription = memory.subscribe(spec, listener);
        const close = (): void => {
          this.subscriptions--;
          subscription.close();
        };
        return { head: subscription.head, close };
      }),
    read: (...args) => this.#later("read", () => memory.read(...args)),
    heads: (names) => this.#later("heads", () => memory.heads(names)),
  });

  /** The call is done at once; it is its answer that takes time. */
  #later<T>(call: Call, act: () => T): MaybePromise<T> {
    if (!this.#calls.includes(call)) return act();
    const result = act();
    return new Promise((resolve, reject) => {
      this.held.push({
        call,
        answer: () => resolve(result),
        fail: () => reject(new Error("no contact")),
      });
    });
  }

  async answer(): Promise<void> {
    while (this.held.length > 0) {
      this.held.shift()?.answer();
      await settle();
    }
  }

  async fail(): Promise<void> {
    this.held.shift()?.fail();
    await settle();
  }
}

function open(harness: Harness): { probe: ReadingProbe; reader: Reader } {
  const probe = createReadingProbe();
  return { probe, reader: harness.engine.open(probe, OPEN_GRANTS) };
}

function attach(reader: Reader, channel: string, since?: string): Promise<AttachAnswer> {
  return Promise.resolve(reader.attach(channel, parseSince(since))).then((answer) => {
    reader.start(channel);
    return answer;
  });
}

const outcome = (attached: Promise<AttachAnswer>): Promise<string> =>
  attached.then(
    () => "attached",
    (error: unknown) => (error as { code: string }).code,
  );

describe("an attach whose broker takes its time", () => {
  it("leaves nothing followed where its connection is gone by then", async () => {
    const far = new Far("subscribe");
    const harness = createHarness({}, far.wrap);
    const { reader } = open(harness);
    const attached = outcome(attach(reader, "a"));
    reader.closed();
    await far.answer();
    expect(await attached).toBe("again");
    expect(far.subscriptions).toBe(0);
  });

  it("follows the channel once for all who ask, also where the first of them has gone", async () => {
    const far = new Far("subscribe");
    const harness = createHarness({}, far.wrap);
    const [first, second] = [open(harness), open(harness)];
    const gone = outcome(attach(first.reader, "a"));
    first.reader.closed();
    const attached = attach(second.reader, "a");
    await far.answer();
    await Promise.all([gone, attached]);
    harness.publish("a", "one");
    harness.clock.turn();
    expect(far.subscriptions).toBe(1);
    expect(second.probe.takeLog()).toEqual(["1:one"]);
  });

  it("is refused where the broker can't follow the channel, and may be tried again", async () => {
    const far = new Far("subscribe");
    const harness = createHarness({}, far.wrap);
    const { probe, reader } = open(harness);
    const refused = outcome(attach(reader, "a"));
    await far.fail();
    expect(await refused).toBe("internal");
    const attached = attach(reader, "a");
    await far.answer();
    await attached;
    harness.publish("a", "one");
    harness.clock.turn();
    expect(probe.takeLog()).toEqual(["1:one"]);
  });

  it("that is replaced by another gets no answer that could start the other too soon [ATT-2] [ATT-8]", async () => {
    const far = new Far("read");
    const harness = createHarness({}, far.wrap);
    for (const text of ["one", "two", "three"]) harness.publish("a", text);
    const { probe, reader } = open(harness);
    const replaced = outcome(attach(reader, "a", "earliest"));
    const answered = Promise.resolve(reader.attach("a", parseSince("last:1")));
    await far.answer();
    expect(await replaced).toBe("again");
    expect(probe.takeLog()).toEqual([]);
    expect((await answered).position.offset).toBe(2);
    reader.start("a");
    await far.answer();
    expect(probe.takeLog()).toEqual(["3:three"]);
  });

  it("loses nothing of what the broker tells in the turn of its answer [ATT-1]", async () => {
    let tell = (): void => {};
    const harness = createHarness({}, (memory) => ({
      ...memory,
      subscribe(spec, listener) {
        const subscription = memory.subscribe(spec, listener);
        return new Promise((resolve) => {
          tell = () => {
            resolve(subscription);
            harness.publish(spec.name, "in between");
          };
        });
      },
    }));
    const { probe, reader } = open(harness);
    const attached = attach(reader, "a");
    tell();
    const { position } = await attached;
    harness.publish("a", "two");
    harness.clock.turn();
    expect(probe.takeLog()).toEqual(["1:in between", "2:two"].slice(position.offset));
    const next = open(harness);
    expect((await attach(next.reader, "a")).position.offset).toBe(2);
  });

  it("answers with the head that its position was decided by", async () => {
    let deaf = true;
    const harness = createHarness({}, (memory) => ({
      ...memory,
      subscribe: (spec, listener) =>
        memory.subscribe(spec, (epoch, entries) => {
          if (!deaf) listener(epoch, entries);
        }),
    }));
    const { probe, reader } = open(harness);
    await attach(reader, "a");
    const { epoch } = harness.publish("a", "one").position;
    harness.publish("a", "two");
    deaf = false;
    const answer = await attach(open(harness).reader, "a", `${epoch}:1`);
    expect(answer).toMatchObject({ position: { epoch, offset: 1 }, head: { epoch, offset: 2 }, replayed: 1 });
    expect(probe.takeLog()).toEqual([]);
  });
});

describe("a page that takes its time", () => {
  const LONG = 700;

  const lagging = async (...calls: Call[]) => {
    const far = new Far(...calls);
    const harness = createHarness({}, far.wrap);
    for (let index = 1; index <= LONG; index++) harness.publish("a", `m${index}`);
    const { probe, reader } = open(harness);
    const attached = attach(reader, "a", "earliest");
    far.held.shift()?.answer();
    await attached;
    return { far, harness, probe, reader };
  };
  const offsets = (probe: ReadingProbe): number[] => probe.takeLog().map((line) => Number.parseInt(line, 10));
  const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);

  it("is joined by what is published meanwhile, once [ATT-1]", async () => {
    const { far, harness, probe } = await lagging("read");
    harness.publish("a", "new");
    harness.clock.turn();
    await far.answer();
    harness.publish("a", "newer");
    harness.clock.turn();
    expect(offsets(probe)).toEqual(upTo(LONG + 2));
  });

  it("is not given to a cursor that was detached, nor to the one that has replaced it [ATT-8]", async () => {
    const { far, harness, probe, reader } = await lagging("read");
    const again = attach(reader, "a", "now");
    await far.answer();
    await again;
    harness.publish("a", "new");
    harness.clock.turn();
    await far.answer();
    expect(probe.takeLog()).toEqual([`${LONG + 1}:new`]);
  });

  it("that fails ends the connection, which comes back at the same position", async () => {
    const { far, probe } = await lagging("read");
    await far.fail();
    expect(probe.closedBy).toMatchObject({ code: "internal" });
  });

  it("that fails after its channel was detached is nobody's trouble", async () => {
    const { far, harness, probe, reader } = await lagging("read");
    await attach(reader, "b");
    reader.detach("a");
    await far.fail();
    harness.publish("b", "still here");
    harness.clock.turn();
    expect(probe.closedBy).toBeUndefined();
    expect(probe.takeLog()).toEqual(["1:still here"]);
  });

  it("is not written into a socket that has filled meanwhile, and is read again when it drains [ATT-5]", async () => {
    const { far, harness, probe, reader } = await lagging("read");
    await attach(reader, "b");
    probe.room = 1;
    harness.publish("b", "fills it");
    harness.clock.turn();
    await far.answer();
    expect(probe.takeLog()).toEqual(["1:fills it"]);
    probe.room = Number.POSITIVE_INFINITY;
    reader.drained();
    await far.answer();
    harness.clock.turn();
    await far.answer();
    expect(offsets(probe)).toEqual(upTo(LONG));
  });
});

describe("a broker that does not answer for the heads", () => {
  it("makes its channels stale, and is not asked again before it has [LIVE-2]", async () => {
    const far = new Far("heads");
    const harness = createHarness({}, far.wrap);
    const { probe, reader } = open(harness);
    await attach(reader, "a");
    harness.clock.advance(21_000);
    expect(probe.takeLog()).not.toContain("stale");
    harness.clock.advance(40_000);
    expect(probe.takeLog().filter((line) => line === "stale")).toHaveLength(2);
    expect(far.held).toHaveLength(1);
    await far.answer();
    harness.clock.advance(21_000);
    expect(probe.takeLog()).not.toContain("stale");
    expect(far.held).toHaveLength(1);
  });

  it("can't take a channel back by an answer that was overtaken", async () => {
    const far = new Far("heads");
    const harness = createHarness({}, far.wrap);
    const { probe, reader } = open(harness);
    await attach(reader, "a");
    for (let check = 0; check < 3; check++) {
      harness.memory.forget("a");
      harness.clock.advance(20_000);
      harness.memory.forget("a");
      harness.publish("a", "one");
      harness.clock.turn();
      await far.answer();
    }
    const gaps = probe.takeLog().filter((line) => line.startsWith("gap"));
    expect(gaps).toHaveLength(3);
    expect(harness.counters.snapshot().stale).toBeUndefined();
  });
});
