/**
 * What travels on the wire of partyline, for those who write a client, a broker or a gateway.
 *
 * @module
 */
export { fromBase64, toBase64 } from "./base64.ts";
export {
  channelPath,
  isReservedName,
  MAX_NAME_BYTES,
  parseChannelName,
  parseChannelPath,
} from "./channel-name.ts";
export { CLOSE, mayReconnect } from "./close-codes.ts";
export { entryData, entryFields, messageLine } from "./entry-json.ts";
export {
  type ErrorCode,
  type ErrorDetails,
  ERRORS,
  isErrorCode,
  PartylineError,
  type Problem,
  toPartylineError,
  toProblem,
} from "./errors.ts";
export {
  type AttachedFrame,
  type AttachFrame,
  type ClientFrame,
  type DeleteFrame,
  type DetachedFrame,
  type DetachFrame,
  type DrainFrame,
  type ErrorFrame,
  FRAMES_TYPE,
  type GapFields,
  type GapFrame,
  type HelloFrame,
  type MarkFrame,
  type MessageFrame,
  type PingFrame,
  type PongFrame,
  PROTOCOL_VERSION,
  type PublishFrame,
  type ResultFrame,
  type ServerFrame,
  type SkipFrame,
  type StaleFrame,
  SUBPROTOCOL,
  type TokenFrame,
  type WelcomeFrame,
  type WelcomeLimits,
} from "./frames.ts";
export {
  connectFrameBytes,
  DEFAULT_LIMITS,
  EVENTS_CHANNELS,
  HELLO_BYTES,
  type Limits,
  PAGE_BYTES,
  PAGE_MESSAGES,
} from "./limits.ts";
export {
  type DeclaredKind,
  declaredKind,
  decideKind,
  decodeText,
  encodeText,
  type Entry,
  type EntryKind,
  type Keep,
  type Kind,
  parseJson,
} from "./message.ts";
export { parsePattern, type Pattern } from "./pattern.ts";
export {
  formatPosition,
  formatPositions,
  formatSince,
  parsePosition,
  parsePositions,
  parseSince,
  type Position,
  readPosition,
  type Since,
  START_OFFSET,
} from "./position.ts";
export { eventsMessageData, rawSseMessage } from "./raw-sse.ts";
export { isPublishId, readClientFrame, type RefusedLine } from "./read-client-frame.ts";
export { readServerFrame } from "./read-server-frame.ts";
export { defaultSince, type Gap, type GapReason, type LogState, resolveSince, type Start } from "./since.ts";
export {
  createSseParser,
  formatSse,
  type ReadSseEvent,
  SSE_COMMENT,
  type SseEvent,
  type SseHandler,
  type SseParser,
} from "./sse.ts";
