/** The outbox against generated histories of lost answers, late connections and refusals. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PartylineError } from "../protocol/partyline-error.ts";
import { createOutboxRig as rig, refusal, type Sent, stored } from "../testing/outbox-rig.ts";
import type { Outcome } from "./outbox.ts";

type Fate = "stored" | "refused" | "rate-limited" | "stored, uncertain" | "uncertain";

type Step =
  | { readonly do: "cut" | "connect" | "end backoff" | "post" }
  | { readonly do: "publish"; readonly ttl: number }
  | { readonly do: "wait"; readonly ms: number; readonly asleep: boolean }
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
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant("publish" as const),
        ttl: fc.constantFrom(Infinity, Infinity, 1, 3, 6),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant("wait" as const),
        ms: fc.integer({ min: 1, max: 4 }),
        asleep: fc.boolean(),
      }),
    },
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
  readonly box: ReturnType<typeof rig>;
  connected = false;
  connections = 0;

  constructor(overHttp: boolean) {
    this.overHttp = overHttp;
    this.box = rig("history", 3, !overHttp);
  }

  run(step: Step): void {
    switch (step.do) {
      case "publish":
        this.published.push(`m${this.published.length}`);
        this.box.publish(this.published.at(-1) ?? "", "", this.box.now + step.ttl);
        break;
      case "wait":
        this.box.wait(step.ms, step.asleep);
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
    const lines = this.waiting.splice(0).filter(this.box.leave);
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
  it("store every message once and in order, whatever is lost, late or refused [PUB-9, PUB-10, PUB-11, PUB-12, PUB-20]", () => {
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
          const stored = log.includes(id) ? `e:${log.indexOf(id) + 1}` : undefined;
          // Refused for good or expired is not stored, told stored is stored there; uncertain may be either.
          const promised = outcome instanceof PartylineError ? undefined : outcome?.position;
          const uncertain = outcome instanceof PartylineError && outcome.code === "uncertain";
          expect(uncertain ? undefined : stored).toBe(promised);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
