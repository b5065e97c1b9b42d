import type { Channel, ChannelEvents, ChannelOptions } from "./channel-types.ts";
import { createEmitter } from "./emitter.ts";
import { closedError } from "./errors.ts";
import type { PartylineError } from "../protocol/partyline-error.ts";
import { createPublisher, type Publisher, type PublisherPort } from "./publisher.ts";
import { createSubscription, type Subscription, type SubscriptionPort } from "./subscription.ts";

/** A channel as the client keeps it: what the user holds, and the two halves that the connection feeds. */
export interface OpenChannel {
  readonly channel: Channel;
  readonly subscription: Subscription;
  readonly publisher: Publisher;
  /** @param error Why, where it is not the user's wish; then iterators throw it. */
  close(error?: PartylineError): void;
}

/** What a channel needs of its client. */
export interface ChannelPort extends Omit<SubscriptionPort, "events">, Omit<PublisherPort, "keep"> {
  closed(): void;
}

export function createChannel(name: string, options: ChannelOptions, port: ChannelPort): OpenChannel {
  const events = createEmitter<ChannelEvents<unknown>>((error) => port.report(error));
  const subscription = createSubscription(name, options, { ...port, events });
  const publisher = createPublisher(name, { ...port, keep: () => subscription.keep });

  const close = (error?: PartylineError): void => {
    if (subscription.state.status === "closed") return;
    subscription.close(error);
    publisher.close(error ?? closedError(`The channel "${name}"`));
    events.clear();
    port.closed();
  };

  const channel: Channel = {
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
    messages: ({ signal } = {}) => subscription.messages(signal),
    on(event, listener) {
      const off = events.on(event, listener);
      if (event === "message") subscription.readersChanged();
      return () => {
        off();
        if (event === "message") subscription.readersChanged();
      };
    },
    publish: (data, publishOptions = {}) =>
      subscription.state.status === "closed"
        ? Promise.reject(closedError(`The channel "${name}"`))
        : publisher.publish(data, publishOptions),
    delete: (key, { id } = {}) =>
      subscription.state.status === "closed"
        ? Promise.reject(closedError(`The channel "${name}"`))
        : publisher.delete(key, id),
    detach: () => subscription.detach(),
    resume: () => subscription.resume(),
    close: () => close(),
  };
  return { channel, subscription, publisher, close };
}
