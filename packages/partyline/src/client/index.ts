/**
 * The typed client: one connection, its channels, and their places.
 *
 * @module
 */
export { PartylineError } from "../protocol/partyline-error.ts";
export type { ClientErrorCode, ErrorCode } from "../protocol/partyline-error.ts";
export type {
  Channel,
  ChannelEvents,
  ChannelOptions,
  ChannelState,
  ChannelStatus,
  Freshness,
  DeleteOptions,
  DroppedPublish,
  OnGap,
  PendingPublish,
  PendingState,
  PublishOptions,
  PublishResult,
} from "./channel-types.ts";
export type { Client, ClientEvents, ClientOptions, ClientState, ClientStatus } from "./client-types.ts";
export { createClient } from "./create-client.ts";
export { GapError } from "./errors.ts";
export type { Follower, FollowOptions, FollowState, FollowStatus, Snapshot } from "./follow/follow-types.ts";
export type { TransportName } from "./link.ts";
export type { ChannelGap, ChannelSkip, Message } from "./message.ts";
export type { Definitions, MessageOf, TypedClient } from "./typed-client.ts";
