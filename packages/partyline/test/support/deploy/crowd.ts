import { createClient, type Client, type TransportName } from "../../../src/client/index.ts";
import { deferred, type Deferred } from "../../transport/probe.ts";

/** Channels of which each client follows one; all follow `all`. */
const ROOMS = 10;
const TRANSPORTS: readonly TransportName[] = ["ws", "sse", "poll"];

/** What went wrong with one message, or one client. */
export type Trouble = string;

/** Many clients of ours, on all transports. Each follows two channels and knows what it has to be told. */
export interface Crowd extends AsyncDisposable {
  /** Who is not attached, or not told everything. */
  missing(): readonly string[];
  /** Resolves when all are attached, as they are at first, and after a break. */
  attached(): Promise<void>;
  /** What was lost, doubled or out of order, and each gap. */
  readonly troubles: readonly Trouble[];
  /** Moments at which a client that had been live was without a live connection: which, and how it was. */
  readonly breaks: readonly string[];
  /** Messages told, all in all. */
  readonly told: number;
  /** Resolves when each was told everything that is published: so many in each channel. */
  reach(published: ReadonlyMap<string, number>): Promise<void>;
}

interface Reading {
  readonly name: string;
  /** How it is, for people. */
  tell(): string;
  last: number;
  goal: number | undefined;
  readonly reached: Deferred<void>;
}

export function gatherCrowd(url: string, size: number): Crowd {
  const troubles: Trouble[] = [];
  const breaks: string[] = [];
  const clients: Client[] = [];
  const readings: Reading[] = [];
  /** Readings that are not attached at the moment. */
  const away = new Set<Reading>();
  const whole: (() => void)[] = [];
  let told = 0;

  const follow = (client: Client, who: string, name: string): void => {
    const channel = client.channel<number>(name, { since: "earliest", onGap: "continue" });
    const tell = (): string =>
      `${who}, ${client.state.status}, in ${name}, ${channel.state.status}: ${reading.last}/${reading.goal}`;
    const reading: Reading = { name, tell, last: 0, goal: undefined, reached: deferred<void>() };
    away.add(reading);
    channel.on("gap", ({ reason }) => troubles.push(`${who} in ${name}: gap ${reason}`));
    channel.on("state", ({ status, error }) => {
      if (status === "attached") away.delete(reading);
      else away.add(reading);
      if (away.size === 0) for (const tell of whole.splice(0)) tell();
      if (status === "refused") troubles.push(`${who} in ${name}: refused ${error?.code}`);
    });
    channel.on("message", ({ data }) => {
      if (data !== reading.last + 1) troubles.push(`${who} in ${name}: ${data} behind ${reading.last}`);
      reading.last = Math.max(reading.last, data);
      told++;
      if (reading.last === reading.goal) reading.reached.resolve();
    });
    readings.push(reading);
  };

  for (let n = 0; n < size; n++) {
    const transport = TRANSPORTS[n % TRANSPORTS.length] as TransportName;
    const who = `client ${n} over ${transport}`;
    const client = createClient(url, { transports: [transport] });
    let entered = false;
    client.on("state", ({ status, reason }) => {
      if (status === "live") entered = true;
      else if (entered && status !== "suspect" && status !== "closed")
        breaks.push(`${who}: ${status}, ${reason?.code}: ${reason?.message}`);
    });
    clients.push(client);
    follow(client, who, "all");
    follow(client, who, `room/${n % ROOMS}`);
  }

  return {
    missing: () =>
      readings
        .filter((reading) => away.has(reading) || reading.last < (reading.goal ?? 0))
        .map((reading) => reading.tell()),
    attached: () => (away.size === 0 ? Promise.resolve() : new Promise((resolve) => whole.push(resolve))),
    troubles,
    breaks,
    get told() {
      return told;
    },
    async reach(published) {
      for (const reading of readings) {
        reading.goal = published.get(reading.name) ?? 0;
        if (reading.last >= reading.goal) reading.reached.resolve();
      }
      await Promise.all(readings.map(({ reached }) => reached.promise));
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map((client) => client.close()));
    },
  };
}

/** Publishes numbers at a steady rate, until it is told to stop. */
export interface Publisher extends AsyncDisposable {
  /** Resolves when it is connected. */
  readonly entered: Promise<void>;
  /** Resolves with how many each channel has, when the server has stored all of them. */
  stop(): Promise<ReadonlyMap<string, number>>;
  readonly breaks: readonly string[];
}

/** A publisher over a client of ours: every other message to `all`, the rest to the rooms in turn. */
export function startPublisher(url: string, perSecond: number): Publisher {
  const client = createClient(url, { transports: ["ws"] });
  const breaks: string[] = [];
  const published = new Map<string, number>();
  const answers: Promise<unknown>[] = [];
  let count = 0;
  const entered = deferred<void>();
  let live = false;
  client.on("state", ({ status, reason }) => {
    if (status === "live") {
      live = true;
      entered.resolve();
    } else if (live && status !== "closed") breaks.push(`publisher: ${status}, ${reason?.message}`);
  });
  const publish = (): void => {
    const name = count % 2 === 0 ? "all" : `room/${((count - 1) / 2) % ROOMS}`;
    count++;
    const n = (published.get(name) ?? 0) + 1;
    published.set(name, n);
    answers.push(client.channel<number>(name).publish(n));
  };
  const begun = performance.now();
  const timer = setInterval(() => {
    // What a busy machine kept the timer from is made up for.
    for (const due = ((performance.now() - begun) * perSecond) / 1_000; count < due;) publish();
  }, 5);
  const halt = (): void => clearInterval(timer);
  return {
    entered: entered.promise,
    breaks,
    async stop() {
      halt();
      await Promise.all(answers);
      return published;
    },
    async [Symbol.asyncDispose]() {
      halt();
      await client.close();
    },
  };
}
