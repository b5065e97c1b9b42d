/**
 * What may happen to many tabs on one connection: tabs come, die, freeze, lag and publish, the connection breaks,
 * the server loses its past, and everything on its way moves in any order that the wires allow.
 */
import type { Channel, ChannelGap, ChannelSkip, Message, PartylineError } from "../../src/client/index.ts";
import { positionOf } from "../../src/client/read-log.ts";
import { DEFAULT_LIMITS } from "../../src/protocol/limits.ts";
import type { Keep } from "../../src/protocol/message.ts";
import type { Step } from "./tab-steps.ts";
import { createTabWorld, type Tab, type TabWorld } from "./tab-world.ts";

const CHANNELS: readonly { readonly name: string; readonly keep: Keep }[] = [
  { name: "h", keep: "history" },
  { name: "l", keep: "latest" },
  { name: "n", keep: "nothing" },
];
const definitions = {
  h: { retention: { count: 12 } },
  l: { keep: "latest" as const, maxKeys: 2 },
  n: { keep: "nothing" as const },
};
/** More than the channel takes, so that deletions are forgotten. */
const KEYS = ["s", "t", "u", "v", "w", "x"];

type Jump = { readonly gap: ChannelGap } | { readonly skip: ChannelSkip };
type Told = { readonly message: Message } | Jump;

interface Reader {
  readonly channel: Channel;
  readonly keep: Keep;
  readonly told: Told[];
  /** Gaps and skips that an iterator has not come to. */
  readonly ahead: Jump[];
  iterator: AsyncIterator<Message, void> | undefined;
  /** It asked for the whole state. */
  readonly isWhole: boolean;
}

interface Window {
  readonly tab: Tab;
  readonly name: string;
  readonly readers: Map<string, Reader>;
  readonly published: {
    readonly text: string;
    readonly channel: string;
    position?: string;
    error?: unknown;
  }[];
  state: "here" | "frozen" | "left" | "gone";
}

/** One history: what was done, and whether everybody was told the truth. */
export class History {
  readonly world: TabWorld;
  readonly windows: Window[] = [];
  /** By how much the channels of the steps are moved on. */
  readonly #turn: number;
  #count = 0;

  constructor(seed: number) {
    // Every other server refuses what comes too fast.
    const limits = seed % 2 === 0 ? { commandsPerSecond: 4, commandBurst: 12 } : {};
    this.world = createTabWorld({ channels: definitions, limits: { ...DEFAULT_LIMITS, ...limits } }, seed);
    this.#turn = seed;
    this.#open();
  }

  get here(): Window[] {
    return this.windows.filter(({ state }) => state === "here");
  }

  async run(made: Step & { readonly who: number }): Promise<void> {
    const { world } = this;
    const window = this.here[made.who % Math.max(1, this.here.length)];
    const spec = "channel" in made ? CHANNELS[(made.channel + this.#turn) % CHANNELS.length] : undefined;
    const name = spec?.name ?? "";
    switch (made.do) {
      case "open":
        if (this.windows.filter(({ state }) => state !== "gone").length < 4) this.#open();
        break;
      case "kill":
        if (window) window.state = "gone";
        window?.tab.kill();
        break;
      case "close":
        if (window) window.state = "gone";
        await window?.tab.client.close();
        break;
      case "freeze":
        if (window) window.state = "frozen";
        window?.tab.freeze();
        break;
      case "leave":
        if (window) window.state = "left";
        window?.tab.leave();
        break;
      case "thaw":
        for (const away of this.windows) {
          if (away.state === "frozen") away.tab.thaw();
          if (away.state === "left") away.tab.comeBack();
          if (away.state !== "gone") away.state = "here";
        }
        break;
      case "cut":
        world.cut();
        break;
      case "restart":
        world.restart();
        break;
      case "read":
      case "iterate":
        if (window && spec) this.#read(window, spec, made);
        break;
      case "stop":
        window?.readers.get(name)?.channel.detach();
        break;
      case "resume":
        window?.readers.get(name)?.channel.resume();
        break;
      case "take":
        for (const reader of window?.readers.values() ?? []) await this.#take(reader, 4);
        break;
      case "publish":
        for (let more = made.many; window && more > 0; more--)
          this.#publish(window, name, (made.key + more) % KEYS.length);
        break;
      case "post":
        for (let more = made.many; more > 0; more--) this.#post(name, made.key + more);
        break;
      case "delete":
        for (let more = made.many; name === "l" && more > 0; more--)
          void world.delete(name, KEYS[(made.key + more) % KEYS.length] ?? "");
        break;
      case "move":
        for (let time = 0; time < made.times; time++) {
          const busy = world.busy();
          const wire = busy[(made.which + time * made.which) % Math.max(1, busy.length)];
          if (wire) await world.move(wire);
          else await world.rest();
        }
        break;
      case "pass":
        await world.pass(made.ms);
    }
  }

  #open(): void {
    const tab = this.world.openTab({ bufferedMessages: 4, baseDelay: 100, maxDelay: 400 });
    this.windows.push({
      tab,
      name: `tab ${this.windows.length}`,
      readers: new Map(),
      published: [],
      state: "here",
    });
  }

  #read(
    window: Window,
    { name, keep }: { name: string; keep: Keep },
    made: { do: string; since: number },
  ): void {
    if (window.readers.has(name)) return;
    const start = this.world.stored.filter((entry) => entry.channel === name).at(-4);
    const since = [undefined, "earliest", "last:3", "now", start && `${start.epoch}:${start.offset}`][
      made.since
    ];
    const opened = window.tab.client.channel(name, { onGap: "continue", keep, ...(since ? { since } : {}) });
    const told: Told[] = [];
    const ahead: Jump[] = [];
    const reader: Reader = {
      channel: opened,
      keep,
      told,
      ahead,
      iterator: undefined,
      isWhole: made.since < 2,
    };
    // An iterator lags behind the gaps and skips. Where a gap may lead back they can't be put in order again.
    const iterates = made.do === "iterate" && keep !== "latest";
    opened.on("gap", (gap) => (iterates ? ahead : told).push({ gap }));
    opened.on("skip", (skip) => (iterates ? ahead : told).push({ skip }));
    if (iterates) reader.iterator = opened.messages();
    else opened.on("message", (message) => told.push({ message }));
    window.readers.set(name, reader);
  }

  async #take(reader: Reader, times: number): Promise<void> {
    for (let time = 0; time < times && reader.iterator; time++) {
      void reader.iterator.next().then(({ value }) => {
        if (value) takeMessage(reader, value);
      });
      await Promise.resolve();
    }
  }

  #post(name: string, key: number): void {
    try {
      void this.world.publish(
        name,
        `server ${++this.#count}`,
        name === "l" ? KEYS[key % KEYS.length] : undefined,
      );
    } catch (error) {
      if ((error as PartylineError).code !== "too-many-keys") throw error;
    }
  }

  #publish(window: Window, name: string, key: number): void {
    const text = `${window.name} ${++this.#count}`;
    const entry: Window["published"][number] = { text, channel: name };
    window.published.push(entry);
    const options =
      name === "l" ? { key: KEYS[key] ?? "", kind: "text" as const } : { kind: "text" as const };
    window.tab.client
      .channel(name, { keep: CHANNELS.find((spec) => spec.name === name)?.keep ?? "history" })
      .publish(text, options)
      .then(
        ({ position }) => (entry.position = position),
        (error: unknown) => (entry.error = error),
      );
  }

  /** All is mended, and everybody reads to the end. */
  async settle(): Promise<void> {
    await this.run({ do: "thaw", who: 0 });
    for (let round = 0; round < 12; round++) {
      await this.world.pass(1000, 200);
      for (const { readers } of this.here)
        for (const reader of readers.values()) {
          reader.channel.resume();
          await this.#take(reader, 40);
        }
    }
    await this.world.pass(1000, 200);
  }

  async close(): Promise<void> {
    for (const { tab } of this.here) await tab.client.close();
    await this.world.pass(100);
  }

  /** What is wrong with what was told, in words. */
  faults(): string[] {
    const faults: string[] = [];
    const same: Same = (what, found, right) => {
      const [is, should] = [JSON.stringify(found), JSON.stringify(right)];
      if (is !== should) faults.push(`${what}: ${is}, not ${should}`);
    };
    for (const { name, readers, tab } of this.here) {
      same(`${name} has reported`, tab.reported.map(String), []);
      same(`${name} is`, tab.client.state.status, "live");
      for (const [channel, reader] of readers)
        this.#checkReader(`${name} in ${channel}`, channel, reader, same);
    }
    for (const window of this.windows) this.#checkPublisher(window, same);
    if (this.here.length > 0) same("connections", this.world.connections, 1);
    return faults;
  }

  #checkReader(who: string, name: string, reader: Reader, same: Same): void {
    const { ahead, keep, channel: read } = reader;
    const told = [...reader.told, ...ahead];
    const log = this.world.stored.filter((entry) => entry.channel === name);
    const state = new Map<string, unknown>();
    let { isWhole } = reader;
    let place: string | undefined;
    for (const item of told) {
      if ("message" in item) {
        const { position, offset, data, key = "", kind } = item.message;
        const { epoch } = positionOf(position);
        const entry = log.find((stored) => stored.epoch === epoch && stored.offset === offset);
        same(`${who}, ${position}`, data, entry?.text);
        if (place !== undefined) same(`${who}, before ${position}`, place, `${epoch}:${offset - 1}`);
        place = position;
        if (kind === "deleted") state.delete(key);
        else state.set(key, data);
      } else if ("gap" in item) {
        const { from, to } = item.gap;
        if (place !== undefined) same(`${who}, gap to ${to} from`, from, place);
        place = to;
        state.clear();
        isWhole = true;
      } else place = item.skip.to;
    }
    same(`${who} is`, read.state.status, "attached");
    same(`${who} ends at`, read.position, this.world.head(name));
    if (keep === "history" && told.length > 0) same(`${who} was told until`, place, read.position);
    if (keep !== "latest") return;
    // Nothing that was replaced or deleted meanwhile is left, and where the whole was asked for nothing is missing.
    const present = new Map<string, unknown>();
    const [epoch] = (this.world.head(name) ?? "").split(":");
    for (const entry of log) if (entry.epoch === epoch) present.set(entry.key ?? "", entry.text);
    const right = [...present].filter(([key, text]) => text !== undefined && (isWhole || state.has(key)));
    same(`${who} has`, [...state].map(String).sort(), right.map(String).sort());
  }

  #checkPublisher({ published, name: who, state }: Window, same: Same): void {
    for (const { name, keep } of CHANNELS) {
      const own = this.world.stored.filter(
        (entry) => entry.channel === name && entry.text?.startsWith(`${who} `),
      );
      const asked = published.filter((entry) => entry.channel === name);
      // A tab that froze may send late what was told lost on a channel that keeps nothing; nothing waits there.
      const lost = new Set(
        keep === "nothing" ? asked.filter(({ error }) => error).map(({ text }) => text) : [],
      );
      for (const epoch of new Set(own.map((entry) => entry.epoch))) {
        const texts = own
          .filter((entry) => entry.epoch === epoch && !lost.has(entry.text ?? ""))
          .map(({ text }) => text);
        const inOrder = asked.map(({ text }) => text).filter((text) => texts.includes(text));
        same(`${who} in ${name}, once and in order`, texts, inOrder);
      }
      if (state !== "here" || keep !== "history") continue;
      const stored = own.map((entry) => `${entry.epoch}:${entry.offset} ${entry.text}`);
      for (const { text, position, error } of asked) {
        same(`${who} in ${name}, refused`, String(error), "undefined");
        same(`${who} in ${name}, ${text} at ${position}`, stored.includes(`${position} ${text}`), true);
      }
    }
  }
}

/** What an iterator is given comes behind the gaps and skips that lead to it. */
function takeMessage({ told, ahead }: Reader, message: Message): void {
  const place = positionOf(message.position);
  const before = ahead.findLastIndex((jump) => {
    const to = positionOf("gap" in jump ? jump.gap.to : jump.skip.to);
    return to.epoch === place.epoch && to.offset < place.offset;
  });
  told.push(...ahead.splice(0, before + 1), { message });
}

/** Notes a fault where the two are not the same. */
type Same = (what: string, found: unknown, right: unknown) => void;
