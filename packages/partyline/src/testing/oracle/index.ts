export type {
  ChannelRecord,
  Evidence,
  PublishFate,
  PublishRecord,
  ReaderRecord,
  SeenMessage,
  Told,
  Violation,
  ViolationKind,
} from "./evidence.ts";
export { judge } from "./judge.ts";
export {
  createOracle,
  type Oracle,
  type OracleChannel,
  type OraclePublish,
  type OracleTarget,
} from "./oracle.ts";
export type { OracleMessage, OracleReader } from "./reader-log.ts";
