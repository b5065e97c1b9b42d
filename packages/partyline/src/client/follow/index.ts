/**
 * A state that is loaded once and kept up to date by a channel's messages.
 *
 * @module
 */
export { follow } from "./follow.ts";
export type { Follower, FollowOptions, FollowState, FollowStatus, Snapshot } from "./follow-types.ts";
