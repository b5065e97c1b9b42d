import type { Channel, ChannelOptions } from "./channel-types.ts";
import type { Client } from "./client-types.ts";

/**
 * As much of channel definitions as a client's types need: what `defineChannels` gives, taken with `typeof`. Nothing
 * of the server is bundled with a page by it.
 */
export type Definitions = Readonly<Record<string, { readonly message?: unknown }>>;

/** A schema, of any library that speaks Standard Schema (version 1), as far as its type goes. */
interface Schema<Message> {
  readonly "~standard": { readonly types?: { readonly input: Message } | undefined };
}

/** Does this pattern match this name? Segment by segment, as at run time. */
type Matches<Pattern extends string, Name extends string> = Pattern extends "**"
  ? true
  : Pattern extends `${infer Segment}/${infer Rest}`
    ? Name extends `${infer Part}/${infer Others}`
      ? MatchesSegment<Segment, Part> extends true
        ? Matches<Rest, Others>
        : false
      : false
    : Name extends `${string}/${string}`
      ? false
      : MatchesSegment<Pattern, Name>;

type MatchesSegment<Segment extends string, Part extends string> = Segment extends `:${string}` | "*" | Part
  ? true
  : false;

/** The patterns among these definitions that match this name. */
type PatternsOf<D extends Definitions, Name extends string> = {
  [Pattern in keyof D & string]: Matches<Pattern, Name> extends true ? Pattern : never;
}[keyof D & string];

/**
 * What the messages of a channel are, by the definitions that match its name: `unknown` where none of them has a
 * schema. Where several match, the types of all of them, because types know no order.
 */
export type MessageOf<D extends Definitions, Name extends string> = [PatternsOf<D, Name>] extends [never]
  ? never
  : D[PatternsOf<D, Name>] extends { readonly message: Schema<infer Message> }
    ? Message
    : unknown;

/** A {@link Client} whose channels know their messages by their names. Code that takes a `Client` takes it too. */
export interface TypedClient<D extends Definitions> extends Client {
  /** See {@link Client.channel}. A name that no definition matches has messages of type `never`. */
  channel<Name extends string>(name: Name, options?: ChannelOptions): Channel<MessageOf<D, Name>>;
  /** As {@link Client.channel}, with messages of a type that the caller names. */
  channel<T = unknown>(name: string, options?: ChannelOptions): Channel<T>;
}
