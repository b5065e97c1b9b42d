/**
 * Where core meets the outside. Outbound ports (`Broker`, `Connection`, `Clock`, `Logger`, `Metrics`,
 * `Authenticate`) are called by core and filled by others; the inbound ports (`Engine`, `Reader`,
 * `Conversation`) are called by transports and hosts and filled by core.
 */
export type {
  AppendListener,
  AppendOutcome,
  Appended,
  Broker,
  BrokerCapabilities,
  ChannelSpec,
  Head,
  NewMessage,
  Page,
  PageLimit,
  Retention,
  Subscription,
} from "./ports/broker.ts";
export type {
  ChannelRef,
  Connection,
  Item,
  Outgoing,
  TalkingConnection,
  WireFormat,
} from "./ports/connection.ts";
export type {
  Action,
  AttachAnswer,
  Authenticate,
  Authenticated,
  Conversation,
  ConversationOptions,
  Credentials,
  Engine,
  Grants,
  HistoryAnswer,
  HistoryRequest,
  Pace,
  PublishRequest,
  Reader,
  Welcome,
} from "./ports/engine.ts";
export type { MaybePromise } from "./ports/maybe-promise.ts";
export type {
  Clock,
  Counter,
  FailureLog,
  Logger,
  Metrics,
  Timed,
  Timer,
  Wheel,
  Work,
} from "./ports/surroundings.ts";
