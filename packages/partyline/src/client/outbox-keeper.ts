import type { OpenChannel } from "./channel.ts";
import type { Core } from "./core.ts";

/** Puts itself into the publisher of a channel that was opened, before anything is published there. */
export type KeepChannel = (channel: OpenChannel) => void;

/**
 * Keeps the publishes of a client beyond the page: made by `indexedDbOutbox` or `storedOutbox`.
 *
 * @param url Of the server's `/connect`.
 * @param openChannel Opens a channel, which the keeper is given then, or gives the one that is open.
 */
export type OutboxKeeper = (
  core: Core,
  url: string,
  openChannel: (name: string) => OpenChannel,
) => KeepChannel;
