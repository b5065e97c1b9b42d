import type { PartylineError } from "../protocol/partyline-error.ts";
import type { Channel, ChannelOptions } from "./channel-types.ts";
import type { Core } from "./core.ts";
import { closedError } from "./errors.ts";
import { createPublisher, type Publisher } from "./publisher.ts";
import { createSubscription, type Subscription } from "./subscription.ts";

/** A channel as the client keeps it: what the user holds, and the two halves that the connection feeds. */
export interface OpenChannel {
  readonly channel: Channel;
  /** The newest that the user gave; looked at whenever they matter. */
  readonly options: ChannelOptions;
  readonly subscription: Subscription;
  readonly publisher: Publisher;
  /** @param error Why, where it is not the user's wish: then iterators throw it. */
  close(error?: PartylineError): void;
}

/** @param closed Called when the channel is closed, once or more. */
export function createChannel(
  name: string,
  options: ChannelOptions,
  core: Core,
  closed: () => void,
): OpenChannel {
  const subscription = createSubscription(name, options, core);
  const publisher = createPublisher(name, core, subscription.keep);

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
  const own: Omit<Channel, keyof typeof inherited> & Pick<Channel, "close"> = { name, close: () => close() };
  return {
    options,
    subscription,
    publisher,
    close,
    channel: Object.setPrototypeOf(own, inherited) as Channel,
  };
}
