/**
 * Real-time channels for web applications: the server.
 *
 * @module
 */
export { type ErrorCode, PartylineError } from "./protocol/errors.ts";
export type { Limits } from "./protocol/limits.ts";
export type { Kind, Keep } from "./protocol/message.ts";
export {
  type Action,
  type Authenticate,
  type Authenticated,
  type Broker,
  type ChannelDefinition,
  type ChannelDefinitions,
  type Clock,
  type CompressionOptions,
  type CounterSnapshot,
  createPartyline,
  type Credentials,
  defineChannels,
  type DrainOptions,
  type Duration,
  type FetchInfo,
  type Grants,
  grants,
  type GrantTable,
  type Heartbeat,
  type IncomingMessageClass,
  type Listening,
  type ListenOptions,
  type Logger,
  type Partyline,
  type PartylineOptions,
  type Published,
  type RetentionOptions,
  type ServerChannel,
  type ServerHistory,
  type ServerHistoryOptions,
  type ServerMessage,
  type ServerPublishOptions,
  type ServerState,
  type StandardSchema,
  type TlsOptions,
} from "./server.ts";
