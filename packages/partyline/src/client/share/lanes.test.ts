/** The commands of many tabs on one connection, against generated histories of refusals, delays and lost connections. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ErrorFrame, ResultFrame } from "../../protocol/frames.ts";
import { PartylineError } from "../../protocol/partyline-error.ts";
import { createOutboxRig, refusal, stored } from "../../testing/outbox-rig.ts";
import { fromErrorFrame } from "../errors.ts";
import type { Command, Link, RefusalFrame } from "../link.ts";
import type { Outcome } from "../outbox.ts";
import { createLanes, type Lanes } from "./lanes.ts";

type Fate = "stored" | "invalid" | "rate-limited";

type Step =
  | { readonly do: "publish" | "to hub" | "to tab" | "end backoff"; readonly tab: number }
  | { readonly do: "handle"; readonly fate: Fate }
  | { readonly do: "hear" | "post" | "reconnect" };

const TABS = 3;
const tab = fc.nat(TABS - 1);
const steps = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ do: fc.constant("publish" as const), tab }) },
    { weight: 14, arbitrary: fc.record({ do: fc.constantFrom("to hub" as const, "to tab" as const), tab }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("end backoff" as const), tab }) },
    {
      weight: 10,
      arbitrary: fc.record({
        do: fc.constant("handle" as const),
        fate: fc.constantFrom<Fate[]>("stored", "stored", "stored", "invalid", "rate-limited"),
      }),
    },
    {
      weight: 12,
      arbitrary: fc.constantFrom<Step[]>({ do: "hear" }, { do: "hear" }, { do: "post" }),
    },
    { weight: 1, arbitrary: fc.constant<Step>({ do: "reconnect" }) },
  ),
  { maxLength: 200, size: "max" },
);

/** Publishers with their outboxes, wires both ways between them and the hub, and one connection at a time. */
class World {
  readonly log: string[] = [];
  readonly boxes = Array.from({ length: TABS }, () => createOutboxRig("history", 4));
  readonly published = this.boxes.map(() => [] as string[]);
  readonly up = this.boxes.map(() => [] as (() => void)[]);
  readonly down = this.boxes.map(() => [] as (() => void)[]);
  readonly overHttp: boolean;
  /** Of the connection as the hub knows it, and as each tab does. */
  life = 0;
  lives = this.boxes.map(() => 0);
  lanes: Lanes | undefined;
  waiting: Command[] = [];
  inbound: { readonly command: Command; readonly id: string; readonly first: boolean }[] = [];
  outbound: (() => void)[] = [];
  held = false;

  constructor(overHttp: boolean) {
    this.overHttp = overHttp;
  }

  async run(step: Step): Promise<void> {
    switch (step.do) {
      case "publish": {
        const id = `${step.tab}m${this.published[step.tab]?.length}`;
        this.published[step.tab]?.push(id);
        this.boxes[step.tab]?.publish(id);
        break;
      }
      case "end backoff":
        this.boxes[step.tab]?.endBackoff();
        break;
      case "to hub":
        this.up[step.tab]?.shift()?.();
        break;
      case "to tab":
        this.down[step.tab]?.shift()?.();
        break;
      case "handle":
        this.handle(step.fate);
        break;
      case "hear":
        this.outbound.shift()?.();
        break;
      case "post":
        this.post();
        break;
      case "reconnect":
        this.reconnect();
    }
    this.boxes.forEach((_box, index) => this.collect(index));
    await Promise.resolve();
    await Promise.resolve();
  }

  /** What a tab sends is on its way to the hub. */
  private collect(index: number): void {
    const box = this.boxes[index];
    for (const { publish, attempt, first } of box?.sent.splice(0) ?? []) {
      const life = this.lives[index];
      this.up[index]?.push(() => {
        if (life !== this.life) return;
        this.lanes?.send({
          tab: this.boxes[index] ?? {},
          channel: "a",
          first,
          fields: publish.id,
          answer: (frame) =>
            this.down[index]?.push(() => {
              if (life === this.lives[index]) box?.outbox.answered(publish, attempt, outcomeOf(frame));
            }),
        });
      });
    }
  }

  private reconnect(): void {
    const life = ++this.life;
    this.waiting = [];
    this.inbound = [];
    this.outbound = [];
    this.held = false;
    const link: Pick<Link, "send"> = {
      send: (command) => {
        if (this.overHttp) this.waiting.push(command);
        else this.leave(command);
      },
    };
    this.lanes = createLanes(link as Link);
    this.down.forEach((wire, index) =>
      wire.push(() => {
        this.lives[index] = life;
        this.boxes[index]?.connect();
        this.collect(index);
      }),
    );
  }

  private leave(command: Command): void {
    const id = command.fields();
    if (id) this.inbound.push({ command, id, first: command.first });
  }

  private post(): void {
    if (this.inbound.length + this.outbound.length > 0) return;
    this.held = false;
    for (const command of this.waiting.splice(0)) this.leave(command);
  }

  private handle(fate: Fate): void {
    const sent = this.inbound.shift();
    if (!sent) return;
    const { command, id, first } = sent;
    if (first) this.held = false;
    const answer = this.held ? refusal("again") : this.decide(id, fate);
    if (answer instanceof PartylineError) this.held = true;
    this.outbound.push(() => command.answer(frameOf(answer)));
  }

  private decide(id: string, fate: Fate): NonNullable<Outcome> {
    const known = this.log.indexOf(id);
    if (known >= 0) return { position: `e:${known + 1}`, duplicate: true };
    if (fate !== "stored") return refusal(fate);
    this.log.push(id);
    return stored(this.log.length);
  }

  get busy(): boolean {
    return this.boxes.some(({ outbox }) => outbox.unsettled.length > 0);
  }

  async settle(): Promise<void> {
    for (let round = 0; this.busy; round++) {
      if (round > 2_000) throw new Error("The lanes do not come to rest.");
      for (let index = 0; index < TABS; index++) {
        await this.run({ do: "to hub", tab: index });
        await this.run({ do: "to tab", tab: index });
        await this.run({ do: "end backoff", tab: index });
      }
      await this.run({ do: "post" });
      await this.run({ do: "handle", fate: "stored" });
      await this.run({ do: "hear" });
    }
  }
}

function frameOf(answer: NonNullable<Outcome>): ResultFrame | RefusalFrame {
  if (!(answer instanceof PartylineError)) return { t: "result", n: 0, ...answer };
  return { t: "error", n: 0, code: answer.code as ErrorFrame["code"], message: "", remedy: "" };
}

function outcomeOf(frame: ResultFrame | RefusalFrame): NonNullable<Outcome> {
  if (frame.t === "error") return fromErrorFrame(frame);
  return { position: frame.position ?? "", duplicate: frame.duplicate === true };
}

describe.each([
  { over: "one connection", overHttp: false },
  { over: "posts", overHttp: true },
])("publishers that share $over", ({ overHttp }) => {
  it("each have their messages stored once and in order, whoever else is refused [PUB-8, PUB-9, PUB-11]", async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (history) => {
        const world = new World(overHttp);
        await world.run({ do: "reconnect" });
        for (const step of history) await world.run(step);
        await world.settle();

        const { boxes, log, published } = world;
        expect(new Set(log).size).toBe(log.length);
        for (const [index, ids] of published.entries()) {
          expect(log.filter((id) => ids.includes(id))).toEqual(ids.filter((id) => log.includes(id)));
          for (const id of ids) {
            const outcome = boxes[index]?.outcomes.get(id);
            expect(outcome).toBeDefined();
            if (outcome instanceof PartylineError) continue;
            expect(outcome?.position).toBe(`e:${log.indexOf(id) + 1}`);
          }
        }
      }),
      { numRuns: Number(process.env["RUNS"] ?? 500) },
    );
  });
});

describe("a channel of several publishers on one connection", () => {
  /** What has left, with `!` where it is marked first, and how it is answered. */
  function rig() {
    const left: { readonly text: string; readonly command: Command }[] = [];
    const link: Pick<Link, "send"> = {
      send(command) {
        const text = command.fields();
        if (text) left.push({ text: command.first ? `${text}!` : text, command });
      },
    };
    const lanes = createLanes(link as Link);
    const [ada, grace] = [{}, {}];
    const send = (tab: object, fields: string, first = false, channel = "a"): void =>
      lanes.send({ tab, channel, first, fields, answer: () => undefined });
    const answer = async (index: number, code?: ErrorFrame["code"]): Promise<void> => {
      left[index]?.command.answer(
        code ? { t: "error", code, message: "", remedy: "" } : { t: "result", n: 0, position: "e:1" },
      );
      for (let round = 0; round < 3; round++) await Promise.resolve();
    };
    return { lanes, ada, grace, send, answer, texts: () => left.map(({ text }) => text) };
  }

  it("takes turns, so that one alone has commands under way [PUB-21]", async () => {
    const { ada, answer, grace, send, texts } = rig();
    send(ada, "a1");
    send(ada, "a2");
    send(grace, "g1");
    send(ada, "a3");
    send(grace, "other channel", false, "b");
    expect(texts()).toEqual(["a1", "a2", "other channel"]);
    await answer(0);
    await answer(1);
    expect(texts()).toEqual(["a1", "a2", "other channel", "g1"]);
    await answer(3);
    expect(texts().at(-1)).toBe("a3");
  });

  it("ends for the next one the hold that another one's refusal has left behind", async () => {
    const { ada, answer, grace, send, texts } = rig();
    send(ada, "a1");
    send(grace, "g1");
    send(grace, "g2");
    await answer(0, "invalid");
    expect(texts()).toEqual(["a1", "g1!", "g2"]);
  });

  it("drops what was sent behind a refusal, until the publisher begins again", async () => {
    const { ada, answer, send, texts } = rig();
    send(ada, "a1");
    await answer(0, "rate-limited");
    send(ada, "a2");
    expect(texts()).toEqual(["a1"]);
    send(ada, "a1", true);
    send(ada, "a2");
    expect(texts()).toEqual(["a1", "a1!", "a2"]);
  });

  it("takes late answers to what was sent before that for nothing", async () => {
    const { ada, answer, send, texts } = rig();
    send(ada, "a1");
    send(ada, "a2");
    await answer(0, "rate-limited");
    send(ada, "a1", true);
    await answer(1, "again");
    send(ada, "a2");
    // Marked first, it would be stored even if the one before it is refused again.
    expect(texts()).toEqual(["a1", "a2", "a1!", "a2"]);
  });

  it("forgets what a publisher that has left had not sent yet", async () => {
    const { ada, answer, grace, lanes, send, texts } = rig();
    send(ada, "a1");
    send(grace, "g1");
    send(ada, "a2");
    lanes.leave(grace);
    await answer(0);
    expect(texts()).toEqual(["a1", "a2"]);
  });
});
