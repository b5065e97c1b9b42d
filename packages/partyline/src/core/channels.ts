import { parseChannelName } from "../protocol/channel-name.ts";
import { ownText } from "../protocol/message.ts";
import { Channel } from "./channel.ts";
import type { Context } from "./context.ts";

/** Channels that nobody reads here are forgotten beyond this many; their logs are the broker's, and they are soon made. */
const IDLE_CHANNELS = 1_000;

/** The channels that this node has to do with, by name. */
export class Channels {
  readonly #context: Context;
  readonly #channels = new Map<string, Channel>();
  #numbers = 0;
  /** Where the last look for idle channels ended. */
  #walk: Iterator<Channel, undefined> | undefined;

  constructor(context: Context) {
    this.#context = context;
  }

  /**
   * The channel of this name, made where it is new to this node.
   *
   * @throws PartylineError `bad-name`, `unknown-channel`
   */
  get(text: string): Channel {
    const known = this.#channels.get(text);
    if (known) return known;
    const name = parseChannelName(text);
    const normal = this.#channels.get(name);
    if (normal) return normal;
    return this.#create(ownText(name));
  }

  #create(name: string): Channel {
    const definition = this.#context.definitions.find(name);
    if (this.#channels.size >= IDLE_CHANNELS) this.#forgetIdle();
    const channel = new Channel(this.#context, name, ++this.#numbers, definition);
    this.#channels.set(name, channel);
    return channel;
  }

  /** The channels that are followed at the broker. */
  followed(): Channel[] {
    return [...this.#channels.values()].filter((channel) => channel.followed);
  }

  /** Looks at the next few only, so that a new channel costs the same however many there are. */
  #forgetIdle(): void {
    for (let looked = 0; looked < 8; looked++) {
      const next = (this.#walk ??= this.#channels.values()).next();
      if (next.done === true) return void (this.#walk = undefined);
      if (next.value.idle) this.#channels.delete(next.value.name);
    }
  }
}
