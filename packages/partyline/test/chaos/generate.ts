import type { ChannelName, ClientSetup, History, Step } from "./history.ts";
import { drawKind, randomOf } from "./kinds/draw-kind.ts";
import { type Kind, KINDS } from "./kinds/kinds.ts";
import { Random } from "./random.ts";

const TRANSPORTS = ["ws", "sse", "poll"] as const;
const MINUTE = 60_000;
/** Percentage of histories that have a kind of trouble, for each kind. */
const KIND_CHANCE = 25;
const DRAWN: readonly ChannelName[] = ["small", "big", "latest", "nothing"];

/**
 * Draws the history of a seed.
 *
 * @param kinds The kinds of trouble that it may have beside that of every history. Each kind has clients, steps and a
 *   chance of its own, so that without one of them the rest stays as it is.
 */
export function generateHistory(seed: number, kinds: readonly Kind[] = KINDS): History {
  const random = new Random(seed);
  const clients = Array.from({ length: random.between(2, 5) }, () => drawClient(random));
  const draw = new Drawing(random, clients.length);
  const broker = random.chance(60) ? "outliving" : "own";
  const servers = broker === "outliving" && random.chance(40) ? 2 : 1;
  const steps = [...draw.beginning(), ...Array.from({ length: random.between(15, 60) }, () => draw.step())];
  const tabs = drawTabs(random, clients.length);
  const setups = [...clients, ...tabs.clients];
  let all = merge(random, steps, tabs.steps);
  for (const kind of kinds) {
    const chance = randomOf(kind, seed);
    if (!chance.chance(KIND_CHANCE)) continue;
    const drawn = drawKind(kind, chance, setups.length);
    setups.push(...drawn.clients);
    all = merge(chance, all, drawn.steps);
  }
  return { seed, setup: { broker, servers, clients: setups }, steps: all };
}

/** In some histories two or three more clients are tabs of one browser, with one connection. */
function drawTabs(
  random: Random,
  others: number,
): { readonly clients: readonly ClientSetup[]; readonly steps: readonly Step[] } {
  if (!random.chance(40)) return { clients: [], steps: [] };
  // What a tab waits for it may be told while it is frozen.
  const tab: ClientSetup = { ...drawClient(random), onGap: "continue", stores: false, shares: "all" };
  const clients = Array.from({ length: random.between(2, 3) }, () => tab);
  const draw = new Drawing(random, clients.length, others);
  return {
    clients,
    steps: [
      ...clients.flatMap(() => [draw.tabRead(), draw.tabRead()]),
      ...Array.from({ length: random.between(10, 40) }, () => draw.tabStep()),
    ],
  };
}

/** Both in their order. */
function merge(random: Random, some: readonly Step[], more: readonly Step[]): Step[] {
  const merged = [...some];
  let at = 0;
  for (const [index, step] of more.entries()) {
    at = random.between(at, Math.floor((merged.length * (index + 1)) / more.length));
    merged.splice(at++, 0, step);
  }
  return merged;
}

function drawClient(random: Random): ClientSetup {
  const first = random.pick(TRANSPORTS);
  const others = TRANSPORTS.filter((name) => name !== first);
  return {
    transports: random.chance(40) ? [first] : [first, ...others],
    onGap: random.chance(75) ? "continue" : "function",
    buffer: random.pick([4, 30, 1000]),
    knowsKeep: random.chance(50),
    ...(random.chance(20) ? { maxRate: random.pick([5, 20, 100]) } : {}),
    stores: random.chance(30),
  };
}

class Drawing {
  readonly #random: Random;
  readonly #clients: number;
  readonly #first: number;

  constructor(random: Random, clients: number, first = 0) {
    this.#random = random;
    this.#clients = clients;
    this.#first = first;
  }

  /** Most clients read something from the start, so that there is somebody to lose something. */
  beginning(): Step[] {
    const steps: Step[] = [];
    for (let client = 0; client < this.#clients; client++)
      for (let channels = this.#random.between(1, 3); channels > 0; channels--)
        steps.push({ ...this.#read(), client });
    steps.push(this.#stream());
    return steps;
  }

  step(): Step {
    const random = this.#random;
    return random.weighted<() => Step>([
      [26, () => this.#publish()],
      [2, () => ({ do: "delete", client: this.#client(), key: this.#random.between(0, 4) })],
      [
        2,
        () => ({
          do: "post",
          client: this.#client(),
          channel: this.#channel(),
          count: this.#random.between(1, 6),
        }),
      ],
      [
        18,
        () => ({
          do: "pass",
          ms: this.#random.weighted([
            [6, this.#random.between(1, 20)],
            [3, this.#random.between(20, 150)],
            [1, this.#random.between(300, 900)],
          ]),
        }),
      ],
      [4, () => this.#read()],
      [2, () => this.#stream()],
      [4, () => this.#reading()],
      [5, () => ({ do: "switch", client: this.#client(), transport: this.#random.pick(TRANSPORTS) })],
      [18, () => this.#fault()],
      [8, () => ({ do: "mend", client: this.#client() })],
      [2, () => ({ do: "lead", client: this.#client(), server: random.pick(["first", "second"] as const) })],
      [2, () => ({ do: "reload", client: this.#client() })],
      [1, () => ({ do: "storm", channel: this.#channel(), clients: this.#random.between(5, 20) })],
      [1, () => ({ do: "calm" })],
      [9, () => this.#server()],
      [5, () => this.#broker()],
    ])();
  }

  /** What happens to tabs that share. */
  tabStep(): Step {
    const random = this.#random;
    return random.weighted<() => Step>([
      [8, () => this.#publish()],
      [3, () => this.tabRead()],
      [4, () => this.#reading()],
      [4, () => ({ do: "pass", ms: random.pick([1, 20, 300, 1500]) })],
      [2, () => ({ do: "switch", client: this.#client(), transport: random.pick(TRANSPORTS) })],
      [5, () => this.#fault()],
      [4, () => ({ do: "mend", client: this.#client() })],
      [4, () => ({ do: "reload", client: this.#client() })],
      [4, () => ({ do: "freeze", client: this.#client() })],
      [8, () => ({ do: "thaw", client: this.#client() })],
    ])();
  }

  /** By a listener: what takes a while for each message would go on in a tab that is frozen. */
  tabRead(): Step {
    const { client, channel, since } = this.#read();
    return { do: "read", client, channel, since };
  }

  #client(): number {
    return this.#first + this.#random.between(0, this.#clients - 1);
  }

  #channel(): ChannelName {
    return this.#random.weighted<ChannelName>([
      [6, "small"],
      [4, "big"],
      [3, "latest"],
      [2, "nothing"],
    ]);
  }

  #publish(): Step {
    const random = this.#random;
    const channel = this.#channel();
    // Bursts beyond what is kept, and messages that do not fit into one packet, are rarer than small talk.
    const count = random.weighted([
      [6, random.between(1, 4)],
      [3, random.between(5, 30)],
      [1, random.between(50, 150)],
    ]);
    const bytes = random.weighted([
      [6, random.between(0, 60)],
      [2, random.between(200, 3000)],
      [1, count > 30 ? 100 : random.between(10_000, 60_000)],
    ]);
    return { do: "publish", ...(random.chance(80) ? { client: this.#client() } : {}), channel, count, bytes };
  }

  #read(): Extract<Step, { do: "read" }> {
    const random = this.#random;
    const channel = this.#channel();
    // What an iterator is told ahead can't be put in order again where a gap may go backwards.
    const iterates = channel !== "latest" && random.chance(30);
    return {
      do: "read",
      client: this.#client(),
      channel,
      since: random.pick(["now", "earliest", "earliest", "last:5"] as const),
      ...(iterates ? { pace: random.pick([0, 1, 5, 20]) } : {}),
    };
  }

  #stream(): Step {
    const random = this.#random;
    const client = this.#client();
    if (random.chance(40))
      return { do: "stream", client, channel: random.pick(["small", "big"] as const), by: "polls" };
    const channel = random.pick(["small", "big", "nothing"] as const);
    return { do: "stream", client, channel, by: "events", ...(random.chance(25) ? { maxRate: 20 } : {}) };
  }

  #reading(): Step {
    const what = this.#random.weighted<"leave" | "pause" | "resume">([
      [1, "leave"],
      [2, "pause"],
      [3, "resume"],
    ]);
    return { do: what, client: this.#client(), channel: this.#random.pick(DRAWN) };
  }

  #fault(): Step {
    const random = this.#random;
    const client = this.#client();
    const direction = random.pick(["up", "down"] as const);
    return random.weighted<() => Step>([
      [6, () => ({ do: "fault", client, fault: "cut" })],
      [2, () => ({ do: "fault", client, fault: "unplug" })],
      [1, () => ({ do: "fault", client, fault: "stripUpgrade" })],
      [2, () => ({ do: "fault", client, fault: "halfClose", direction })],
      [2, () => ({ do: "fault", client, fault: "blackhole", direction })],
      [3, () => ({ do: "fault", client, fault: "buffer", direction })],
      [2, () => ({ do: "fault", client, fault: "delay", amount: random.between(1, 60) })],
      [2, () => ({ do: "fault", client, fault: "throttle", amount: random.between(20, 400) * 1000 })],
      [2, () => ({ do: "fault", client, fault: "split", amount: random.pick([7, 100, 1000]) })],
    ])();
  }

  #server(): Step {
    const random = this.#random;
    return random.weighted<Step>([
      [5, { do: "kill" }],
      [2, { do: "close" }],
      [2, { do: "drain" }],
      [9, { do: "start", past: random.chance(70) }],
      [2, { do: "stop" }],
      [6, { do: "continue" }],
    ]);
  }

  #broker(): Step {
    const random = this.#random;
    const channel = this.#channel();
    const times = random.between(1, 4);
    return random.weighted<Step>([
      [1, { do: "jump", ms: random.pick([-5 * MINUTE, -2000, 2000, 5 * MINUTE, 15 * MINUTE, 70 * MINUTE]) }],
      [1, { do: "forget", channel }],
      [
        3,
        { do: "refuse", channel, times, code: random.pick(["overloaded", "overloaded", "invalid"] as const) },
      ],
      [3, { do: "doubt", channel, times, stored: random.chance(50) }],
    ]);
  }
}
