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
  const publisher = createPublisher(name, core, () => subscription.keep);
  const { messages, on, detach, resume } = subscription;

  const close = (error?: PartylineError): void => {
    closed();
    subscription.close(error);
    publisher.close(error ?? closedError(`The channel "${name}"`));
  };
  return {
    options,
    subscription,
    publisher,
    close,
    channel: {
      name,
      get state() {
        return subscription.state;
      },
      get position() {
        return subscription.position;
      },
      get head() {
        return subscription.head;
      },
      get asOf() {
        return subscription.asOf;
      },
      get pending() {
        return publisher.pending;
      },
      messages,
      on,
      publish: (data, publishOptions = {}) => publisher.publish(data, publishOptions),
      delete: (key, { id } = {}) => publisher.delete(key, id),
      detach,
      resume,
      close: () => close(),
    },
  };
}
