import type { PartylineError } from "../protocol/partyline-error.ts";
import type { Channel, ChannelOptions } from "./channel-types.ts";
import type { Core } from "./core.ts";
import { closedError } from "./errors.ts";
import { type Given, readOptions } from "./options.ts";
import { createPublisher, type Publisher } from "./publisher.ts";
import { createSubscription, type Subscription } from "./subscription.ts";

/** A channel as the client keeps it: what the user holds, and the two halves that the connection feeds. */
export interface OpenChannel {
  readonly channel: Channel;
  /** Says how it is read from now on, as far as these say something. */
  readonly setOptions: (newest: ChannelOptions | undefined) => void;
  readonly subscription: Subscription;
  readonly publisher: Publisher;
  /** @param error Why, where it is not the user's wish: then iterators throw it. */
  close(error?: PartylineError): void;
}

/** @param closed Called when the channel is closed, once or more. */
export function createChannel(name: string, core: Core, closed: () => void): OpenChannel {
  /** Looked at whenever they matter. */
  const options: Given<ChannelOptions> = {};
  const subscription = createSubscription(name, options, core);
  const publisher = createPublisher(name, core, subscription.keep);

  const setOptions = (newest?: ChannelOptions): void => void Object.assign(options, readOptions(newest));
  const close = (error?: PartylineError): void => {
    closed();
    subscription.close(error);
    publisher.close(error ?? closedError(`"${name}"`));
  };
  // What a channel shows of its halves it inherits: repeating it would cost more than it tells.
  const inherited: Subscription & Omit<Publisher, "close"> = Object.setPrototypeOf(
    publisher,
    subscription,
  ) as Subscription & Publisher;
  const own: Omit<Channel, keyof typeof inherited> & Pick<Channel, "close"> = {
    name,
    close: () => close(),
    follow: async (how) =>
      (await import("./follow/follow-channel.ts")).followChannel(core.runtime, channel, setOptions, how),
  };
  const channel = Object.setPrototypeOf(own, inherited) as Channel;
  return { setOptions, subscription, publisher, close, channel };
}
