/** Stored publishes against generated histories of reloads, lost answers, slow disks and servers that forget ids. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { type ClientRig, createClientRig, WELCOME } from "../../testing/client-rig.ts";
import { createScriptedDisk } from "../../testing/scripted-disk.ts";
import type { Frame, ScriptedSocket } from "../../testing/scripted-websocket.ts";
import { storedOutbox } from "./stored-outbox.ts";

type Fate = "stored" | "stored, uncertain" | "refused" | "rate-limited";
type Step =
  | { readonly do: "publish"; readonly ttl: number | undefined }
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "handle"; readonly connection: number; readonly fate: Fate }
  | { readonly do: "reload" | "cut" | "connect" | "hold the disk" | "mend the disk" | "forget ids" };

/** Mostly the newest connection, at times one of those before it, whose page may be gone. */
const connection = fc.constantFrom(0, 0, 0, 1, 1, 2);
const fate = fc.constantFrom<Fate>(
  "stored",
  "stored",
  "stored",
  "stored, uncertain",
  "refused",
  "rate-limited",
);
const steps = fc.array(
  fc.oneof(
    {
      weight: 7,
      arbitrary: fc.record({
        do: fc.constant("publish" as const),
        ttl: fc.constantFrom(undefined, undefined, 500, 4_000),
      }),
    },
    { weight: 9, arbitrary: fc.record({ do: fc.constant("handle" as const), connection, fate }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.nat({ max: 1_500 }) }) },
    {
      weight: 6,
      arbitrary: fc.constantFrom<Step[]>(
        { do: "connect" },
        { do: "connect" },
        { do: "cut" },
        { do: "reload" },
        { do: "hold the disk" },
        { do: "mend the disk" },
        { do: "forget ids" },
      ),
    },
  ),
  { maxLength: 60, size: "max" },
);

/** What a server has of one connection: it goes on when the page is gone. */
interface Pipe {
  readonly socket: ScriptedSocket;
  readonly inbound: Frame[];
  held: boolean;
}

class World {
  readonly log: string[] = [];
  readonly published: string[] = [];
  /** What was told of an id, in whichever page: `stored`, or the code of the refusal. */
  readonly told = new Map<string, string>();
  /** Ids that were never on the disk when their page ended: nobody is left to be told of them. */
  readonly orphans = new Set<string>();
  /** Ids that were given up, of which the disk had not heard when their page ended: sent again behind newer ones. */
  readonly revived = new Set<string>();
  /** Ids that were told as given up, of which the disk had not heard when their page ended. */
  readonly toldTooSoon: string[] = [];
  readonly pipes: Pipe[] = [];
  readonly #disk = createScriptedDisk();
  /** When each id was stored, as far as the server remembers. */
  readonly #known = new Map<string, number>();
  #forgotten = -1;
  #store = this.#disk.page();
  #rig: ClientRig = this.#open(0);

  #open(start: number): ClientRig {
    const outbox = storedOutbox(this.#store, { storeTimeout: 1e9 });
    const rig = createClientRig({ outbox }, new Map(), start);
    rig.client.on("dropped", ({ publish, reason }) => {
      this.told.set(publish.id, reason?.code ?? "superseded");
    });
    return rig;
  }

  get #now(): number {
    return 1_000_000 + this.#rig.clock.now();
  }

  get pending(): number {
    return this.#rig.client.channel("a").pending.length;
  }

  async run(step: Step): Promise<void> {
    switch (step.do) {
      case "publish": {
        const id = `m${this.published.length}`;
        this.published.push(id);
        this.#rig.client
          .channel("a")
          .publish(id, { id, ...(step.ttl === undefined ? {} : { ttl: step.ttl }) })
          .then(
            () => this.told.set(id, "stored"),
            () => undefined,
          );
        break;
      }
      case "wait":
        this.#rig.clock.advance(step.ms);
        break;
      case "connect":
        await this.#connect();
        break;
      case "cut":
        this.#rig.sockets.at(-1)?.close(1006);
        break;
      case "reload":
        this.#reload();
        break;
      case "hold the disk":
        this.#disk.mode = "held";
        break;
      case "mend the disk":
        this.#disk.mode = "ok";
        break;
      case "forget ids":
        this.#forgotten = Math.max(this.#forgotten, ...this.#known.values());
        this.#known.clear();
        break;
      case "handle":
        this.#handle(this.pipes.at(-1 - step.connection), step.fate);
    }
    await this.#rig.settle();
    await this.#rig.settle();
    this.#collect();
  }

  async #connect(): Promise<void> {
    if (["live", "closed"].includes(this.#rig.client.state.status)) return;
    this.#rig.clock.advance(30_000);
    await this.#rig.settle();
    const socket = this.#rig.sockets.at(-1);
    if (!socket || this.pipes.some((pipe) => pipe.socket === socket)) return;
    socket.open();
    socket.take();
    this.pipes.push({ socket, inbound: [], held: false });
    socket.say({ ...WELCOME, time: this.#now });
  }

  #reload(): void {
    const kept = new Set(this.#disk.records.map(({ id }) => id));
    for (const id of this.published) if (!this.told.has(id) && !kept.has(id)) this.orphans.add(id);
    const pending = new Set(this.#rig.client.channel("a").pending.map(({ id }) => id));
    // What was settled and is still there is taken up again.
    for (const id of kept) {
      const told = this.told.get(id) ?? "stored";
      if (told !== "stored") this.toldTooSoon.push(`${id}: ${told}`);
      if (!this.told.has(id) && !pending.has(id)) this.revived.add(id);
      this.told.delete(id);
    }
    this.#store.end();
    this.#disk.mode = "ok";
    this.#store = this.#disk.page();
    this.#rig = this.#open(this.#rig.clock.now() + 1_000);
  }

  #collect(): void {
    const pipe = this.pipes.find(({ socket }) => socket === this.#rig.socket);
    pipe?.inbound.push(...pipe.socket.take().filter(({ t }) => t === "publish"));
  }

  #handle(pipe: Pipe | undefined, fate: Fate): void {
    const frame = pipe?.inbound.shift();
    if (!pipe || !frame) return;
    if (frame["first"] === true) pipe.held = false;
    const answer = pipe.held ? "again" : this.#decide(String(frame["id"]), Number(frame["at"]), fate);
    pipe.held = typeof answer === "string";
    const n = frame["n"];
    if (pipe.socket !== this.#rig.socket || pipe.socket.closed) return;
    pipe.socket.say(
      typeof answer === "number"
        ? { t: "result", n, position: `0mhlk2v9q7xa:${answer}` }
        : { t: "error", n, code: answer, message: "", remedy: "" },
    );
  }

  #decide(id: string, at: number, fate: Fate): number | string {
    if (this.#known.has(id)) return this.log.indexOf(id) + 1;
    if (at <= this.#forgotten) return "uncertain";
    if (fate === "refused") return "forbidden";
    if (fate === "rate-limited") return fate;
    this.#known.set(id, this.#now);
    this.log.push(id);
    return fate === "stored" ? this.log.length : "uncertain";
  }

  /** No more faults: everything is handled until nothing is left to do. */
  async settle(): Promise<void> {
    await this.run({ do: "mend the disk" });
    await this.run({ do: "reload" });
    await this.run({ do: "connect" });
    for (let round = 0; this.pending > 0 || (this.pipes.at(-1)?.inbound.length ?? 0) > 0; round++) {
      if (round > 2_000) throw new Error("The outbox does not come to rest.");
      await this.run({ do: "connect" });
      await this.run({ do: "handle", connection: 0, fate: "stored" });
      if (this.pipes.at(-1)?.inbound.length === 0) await this.run({ do: "wait", ms: 1_000 });
    }
    for (const [index, pipe] of this.pipes.entries())
      while (pipe.inbound.length > 0) this.#handle(this.pipes[index], "stored");
  }
}

it("stores each message once and in order over reloads, and tells of each that is given up [PUB-5, PUB-9, PUB-20]", async () => {
  const met = { reloads: 0, orphans: 0, uncertain: 0, expired: 0 };
  await fc.assert(
    fc.asyncProperty(steps, async (history) => {
      const world = new World();
      for (const step of history) await world.run(step);
      await world.settle();

      const { log, published, told, orphans, revived } = world;
      expect(new Set(log).size).toBe(log.length);
      expect(world.toldTooSoon).toEqual([]);
      // Of what was told uncertain nothing is promised, its order least of all; nor of what nobody was told of, or what
      // was given up and came back.
      const certain = log.filter(
        (id) => told.get(id) !== "uncertain" && !orphans.has(id) && !revived.has(id),
      );
      expect(certain).toEqual(published.filter((id) => certain.includes(id)));
      // Told stored, or told nothing because the page that published it is gone: stored. Refused for good: not stored.
      const isRight = (id: string): boolean => {
        const is = told.get(id);
        if (is === "uncertain" || (is === undefined && orphans.has(id))) return true;
        return log.includes(id) === (is === undefined || is === "stored");
      };
      expect(published.filter((id) => !isRight(id))).toEqual([]);
      met.reloads += history.filter((step) => step.do === "reload").length;
      met.orphans += orphans.size;
      for (const code of told.values()) if (code === "uncertain" || code === "expired") met[code]++;
    }),
    { numRuns: 200 },
  );
  for (const count of Object.values(met)) expect(count).toBeGreaterThan(20);
});
