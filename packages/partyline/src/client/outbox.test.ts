import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Keep } from "../protocol/message.ts";
import { PartylineError } from "../protocol/partyline-error.ts";
import { createOutbox, type Outbox, type Outcome, type Unsettled } from "./outbox.ts";

interface Sent {
  readonly publish: Unsettled;
  readonly attempt: number;
  readonly first: boolean;
  readonly connection: number;
}

/** An outbox whose sending is recorded, and whose backoffs end when told to. */
function rig(keep: Keep = "history", window?: number) {
  const sent: Sent[] = [];
  const outcomes = new Map<string, Outcome>();
  let connection = 0;
  let backoff: (() => void) | undefined;
  const outbox: Outbox<Unsettled> = createOutbox<Unsettled>(
    {
      keep: () => keep,
      send: (publish, attempt, first) => void sent.push({ publish, attempt, first, connection }),
      settle: (publish, outcome) => void outcomes.set(publish.id, outcome),
      afterBackoff(_refusals, _error, run) {
        backoff = () => {
          backoff = undefined;
          run();
        };
        return () => (backoff = undefined);
      },
    },
    window,
  );
  return {
    outbox,
    sent,
    outcomes,
    publish(id: string, key = ""): void {
      outbox.publish({ id, key, attempt: 0, moved: false, refusals: 0 });
    },
    connect(): void {
      connection++;
      outbox.connected();
    },
    answer(index: number, answer: NonNullable<Outcome>): void {
      const { publish, attempt } = sent[index] as Sent;
      outbox.answered(publish, attempt, answer);
    },
    endBackoff: (): void => backoff?.(),
    /** What was sent since the last call: `id`, with `!` where it was marked first. */
    take: (): string[] => sent.splice(0).map(({ publish, first }) => `${publish.id}${first ? "!" : ""}`),
  };
}

const stored = (offset: number): NonNullable<Outcome> => ({ position: `e:${offset}`, duplicate: false });
const refusal = (code: ConstructorParameters<typeof PartylineError>[0]): PartylineError =>
  new PartylineError(code, "no");

describe("the outbox", () => {
  it("sends what waits on the first connection, in order", () => {
    const box = rig();
    box.publish("a");
    box.publish("b");
    expect(box.take()).toEqual([]);
    box.connect();
    expect(box.take()).toEqual(["a", "b"]);
  });

  it("sends all unsettled publishes again on a new connection, oldest first, before newer ones [PUB-9]", () => {
    const box = rig();
    box.connect();
    for (const id of ["a", "b", "c"]) box.publish(id);
    box.answer(1, stored(2));
    box.outbox.disconnected();
    box.publish("d");
    box.take();
    box.connect();
    expect(box.take()).toEqual(["a", "c", "d"]);
  });

  it("publishes nothing on a connection that another has taken over from [PUB-10]", () => {
    const box = rig();
    box.connect();
    box.publish("a");
    box.connect();
    box.publish("b");
    expect(box.sent.map(({ publish, connection }) => [publish.id, connection])).toEqual([
      ["a", 1],
      ["a", 2],
      ["b", 2],
    ]);
  });

  it("settles by a late answer of an older connection [PUB-10]", () => {
    const box = rig();
    box.connect();
    box.publish("a");
    box.connect();
    box.answer(0, stored(1));
    expect(box.outcomes.get("a")).toEqual(stored(1));
  });

  it("rejects what is refused for good and sends the rest again, the oldest marked first [PUB-11, ERR-3]", () => {
    const box = rig();
    box.connect();
    for (const id of ["a", "b", "c"]) box.publish(id);
    box.answer(0, refusal("invalid"));
    expect(box.outcomes.get("a")).toMatchObject({ code: "invalid" });
    expect(box.sent.slice(3).map(({ publish, first }) => [publish.id, first])).toEqual([
      ["b", true],
      ["c", false],
    ]);
  });

  it("marks the next publish first where nothing else was left to send again [PUB-11]", () => {
    const box = rig();
    box.connect();
    box.publish("a");
    box.answer(0, refusal("invalid"));
    box.take();
    box.publish("b");
    expect(box.take()).toEqual(["b!"]);
  });

  it("keeps what is refused with hope, and sends it again first after the backoff [PUB-11]", () => {
    const box = rig();
    box.connect();
    box.publish("a");
    box.publish("b");
    box.answer(0, refusal("rate-limited"));
    box.answer(1, refusal("again"));
    box.publish("c");
    box.take();
    box.endBackoff();
    expect(box.take()).toEqual(["a!", "b", "c"]);
  });

  it("does not send again for the answer to an attempt that is not the newest [PUB-12]", () => {
    const box = rig();
    box.connect();
    box.publish("a");
    box.connect();
    box.take();
    box.outbox.answered(box.outbox.unsettled[0] as Unsettled, 1, refusal("rate-limited"));
    box.endBackoff();
    expect(box.take()).toEqual([]);
  });

  it("says uncertain, with the refusal as cause, where an earlier connection may have stored it", () => {
    const box = rig();
    box.connect();
    box.publish("a");
    box.outbox.disconnected();
    box.connect();
    box.answer(1, refusal("invalid"));
    expect(box.outcomes.get("a")).toMatchObject({ code: "uncertain", cause: { code: "invalid" } });
  });

  it("repeats what is uncertain under its id, and tells it after the third time", () => {
    const box = rig();
    box.connect();
    box.publish("a");
    for (let attempt = 0; attempt < 4; attempt++) {
      expect(box.outcomes.has("a")).toBe(false);
      box.answer(attempt, refusal("uncertain"));
      box.endBackoff();
    }
    expect(box.outcomes.get("a")).toMatchObject({ code: "uncertain" });
  });

  it("replaces a value that never left by a newer one of its key [KEEP-15]", () => {
    const box = rig("latest");
    box.publish("a1", "a");
    box.publish("b1", "b");
    box.publish("a2", "a");
    box.connect();
    expect(box.take()).toEqual(["b1", "a2"]);
    expect(box.outcomes.has("a1")).toBe(true);
    expect(box.outcomes.get("a1")).toBeUndefined();
  });

  it("does not replace a value that was sent, or a late connection could store it behind the newer one", () => {
    const box = rig("latest");
    box.connect();
    box.publish("a1", "a");
    box.outbox.disconnected();
    box.publish("a2", "a");
    box.take();
    box.connect();
    expect(box.take()).toEqual(["a1", "a2"]);
  });

  it("drops what an ephemeral channel had under way when the connection is lost [KEEP-14]", () => {
    const box = rig("nothing");
    box.connect();
    box.publish("a");
    box.take();
    box.outbox.disconnected();
    box.connect();
    expect(box.take()).toEqual([]);
    expect(box.outcomes.get("a")).toMatchObject({ code: "offline" });
  });

  it("has at most 512 attempts under way", () => {
    const box = rig();
    box.connect();
    for (let index = 0; index < 600; index++) box.publish(`p${index}`);
    expect(box.sent).toHaveLength(512);
    box.answer(0, stored(1));
    expect(box.sent).toHaveLength(513);
  });
});

// --- generated histories ---------------------------------------------------------------------------------------

type Fate = "stored" | "refused" | "rate-limited" | "stored, uncertain" | "uncertain";

type Step =
  | { readonly do: "publish" | "cut" | "connect" | "end backoff" | "post" }
  | { readonly do: "handle"; readonly connection: number; readonly fate: Fate }
  | { readonly do: "hear"; readonly connection: number };

/** What the server has of one connection, or of one `POST`: it goes on when the client is long gone. */
interface Pipe {
  readonly connection: number;
  readonly inbound: Sent[];
  readonly outbound: (() => void)[];
  held: boolean;
}

const fates: Fate[] = [
  "stored",
  "stored",
  "stored",
  "refused",
  "rate-limited",
  "stored, uncertain",
  "uncertain",
];
/** Mostly the newest connection, at times one of those before it. */
const connection = fc.constantFrom(0, 0, 0, 0, 1, 1, 2, 3);
const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constant<Step>({ do: "publish" }) },
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constant("handle" as const),
        connection,
        fate: fc.constantFrom(...fates),
      }),
    },
    { weight: 8, arbitrary: fc.record({ do: fc.constant("hear" as const), connection }) },
    { weight: 5, arbitrary: fc.constant<Step>({ do: "post" }) },
    {
      weight: 2,
      arbitrary: fc.constantFrom<Step[]>({ do: "cut" }, { do: "connect" }, { do: "end backoff" }),
    },
  ),
  { maxLength: 100, size: "max" },
);

/** A broker, its connections with all their delays, and one publisher. */
class World {
  readonly log: string[] = [];
  readonly published: string[] = [];
  readonly pipes: Pipe[] = [];
  readonly overHttp: boolean;
  readonly box = rig("history", 3);
  connected = false;
  connections = 0;

  constructor(overHttp: boolean) {
    this.overHttp = overHttp;
  }

  run(step: Step): void {
    switch (step.do) {
      case "publish":
        this.published.push(`m${this.published.length}`);
        this.box.publish(this.published.at(-1) ?? "");
        break;
      case "connect":
        this.connections++;
        this.connected = true;
        this.waiting = [];
        this.box.connect();
        break;
      case "cut":
        this.connected = false;
        this.waiting = [];
        this.box.outbox.disconnected();
        break;
      case "end backoff":
        this.box.endBackoff();
        break;
      case "post":
        this.post();
        break;
      case "handle":
        this.handle(this.pipes.at(-1 - step.connection), step.fate);
        break;
      case "hear":
        this.pipes.at(-1 - step.connection)?.outbound.shift()?.();
    }
    this.collect();
  }

  /** Over HTTP, what waits for the `POST` before it. */
  waiting: Sent[] = [];

  /** What the client has sent goes into the pipe of its connection, or waits for the next `POST`. */
  private collect(): void {
    for (const sent of this.box.sent.splice(0)) {
      if (this.overHttp) this.waiting.push(sent);
      else {
        let pipe = this.pipes.find(({ connection }) => connection === sent.connection);
        if (!pipe) this.pipes.push((pipe = this.newPipe()));
        pipe.inbound.push(sent);
      }
    }
  }

  private newPipe(): Pipe {
    return { connection: this.connections, inbound: [], outbound: [], held: false };
  }

  private post(): void {
    const last = this.pipes.at(-1);
    const busy =
      last && last.connection === this.connections && last.inbound.length + last.outbound.length > 0;
    if (!this.overHttp || busy || !this.connected) return;
    const lines = this.waiting
      .splice(0)
      .filter(({ publish, attempt }) => this.box.outbox.isCurrent(publish, attempt));
    if (lines.length > 0) this.pipes.push({ ...this.newPipe(), inbound: lines });
  }

  private handle(pipe: Pipe | undefined, fate: Fate): void {
    const sent = pipe?.inbound.shift();
    if (!pipe || !sent) return;
    const { id } = sent.publish;
    if (sent.first) pipe.held = false;
    const answer = pipe.held ? refusal("again") : this.decide(id, fate);
    if (answer instanceof PartylineError) pipe.held = true;
    pipe.outbound.push(() => this.box.outbox.answered(sent.publish, sent.attempt, answer));
  }

  private decide(id: string, fate: Fate): NonNullable<Outcome> {
    const known = this.log.indexOf(id);
    if (known >= 0) return { position: `e:${known + 1}`, duplicate: true };
    if (fate === "refused") return refusal("invalid");
    if (fate === "rate-limited") return refusal("rate-limited");
    if (fate === "uncertain") return refusal("uncertain");
    this.log.push(id);
    return fate === "stored" ? stored(this.log.length) : refusal("uncertain");
  }

  /** No more faults: everything is handled and heard until nothing is left to do. */
  settle(): void {
    this.run({ do: "connect" });
    for (let round = 0; this.box.outbox.unsettled.length > 0; round++) {
      if (round > 10_000) throw new Error("The outbox does not come to rest.");
      this.run({ do: "post" });
      this.run({ do: "handle", connection: 0, fate: "stored" });
      this.run({ do: "hear", connection: 0 });
      this.run({ do: "end backoff" });
    }
    // What late connections still bring.
    for (const [index, pipe] of this.pipes.entries())
      while (pipe.inbound.length > 0)
        this.run({ do: "handle", connection: this.pipes.length - 1 - index, fate: "stored" });
  }
}

describe.each([
  { over: "one connection", overHttp: false },
  { over: "posts", overHttp: true },
])("generated histories over $over", ({ overHttp }) => {
  it("store every message once and in order, whatever is lost, late or refused [PUB-9, PUB-10, PUB-11, PUB-12]", () => {
    fc.assert(
      fc.property(steps, (history) => {
        const world = new World(overHttp);
        world.run({ do: "connect" });
        for (const step of history) world.run(step);
        world.settle();

        const { log, published, box } = world;
        expect(new Set(log).size).toBe(log.length);
        const told = (id: string): Outcome => box.outcomes.get(id);
        // Of what was told uncertain nothing is promised, its order least of all.
        const certain = log.filter((id) => !(told(id) instanceof PartylineError));
        expect(certain).toEqual(published.filter((id) => certain.includes(id)));
        for (const id of published) {
          const outcome = told(id);
          expect(outcome).toBeDefined();
          if (outcome instanceof PartylineError) {
            if (outcome.code !== "uncertain") expect(log).not.toContain(id);
          } else expect(outcome?.position).toBe(`e:${log.indexOf(id) + 1}`);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
