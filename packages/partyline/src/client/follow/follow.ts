import type { Channel, ChannelOptions } from "../channel-types.ts";
import type { Client } from "../client-types.ts";
import { globalRuntime } from "../runtime.ts";
import type { Definitions, MessageOf, TypedClient } from "../typed-client.ts";
import { followChannel } from "./follow-channel.ts";
import type { Follower, FollowOptions } from "./follow-types.ts";

/**
 * As `channel.follow(…)`, without a promise: its code comes with the page instead of being loaded when it is called.
 *
 * @throws PartylineError `closed` where the client is.
 *
 * @example
 * ```ts
 * const board = follow<Card, Cards>(client, "board/7", {
 *   snapshot: async ({ signal }) => (await fetch("/api/board/7", { signal })).json(),
 *   reduce: (cards, { data }) => ({ ...cards, [data.id]: data }),
 * });
 * board.on("change", ({ state, status }) => render(state, status));
 * ```
 */
export function follow<D extends Definitions, Name extends string, S>(
  client: TypedClient<D>,
  channel: Name,
  // A client without definitions matches too, as one that knows every name and no message.
  options: FollowOptions<string extends keyof D ? unknown : MessageOf<D, Name>, S>,
): Follower<S>;
export function follow<T, S>(client: Client, channel: string, options: FollowOptions<T, S>): Follower<S>;
export function follow<S>(client: Client, channel: string, options: FollowOptions<never, S>): Follower<S> {
  const open = (how?: ChannelOptions): Channel<never> => client.channel(channel, how);
  return followChannel(globalRuntime, open(), open, options);
}
