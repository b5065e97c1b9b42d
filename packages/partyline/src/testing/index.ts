/**
 * What lets us and our users prove things: networks that a test disturbs, an oracle, and suites that run against any
 * implementation of a port.
 *
 * @module
 */
export { type BrokerAbility, type TestBroker } from "./broker/rig.ts";
export { brokerSuite, type BrokerSuiteOptions, type ForAll } from "./broker-suite.ts";
export { type Direction, type Faults } from "./line/faults.ts";
export { type NetworkLine, openLine } from "./network-line.ts";
export {
  type ChannelRecord,
  createOracle,
  type Evidence,
  judge,
  type Oracle,
  type OracleChannel,
  type OracleMessage,
  type OraclePublish,
  type OracleReader,
  type OracleTarget,
  type PublishFate,
  type PublishRecord,
  type ReaderRecord,
  type SeenMessage,
  type Told,
  type Violation,
  type ViolationKind,
} from "./oracle/index.ts";
export {
  type TestClient,
  type TestClientOptions,
  type TestLine,
  type TypedTestClient,
} from "./network/test-client.ts";
export { type TestServer } from "./network/test-server.ts";
export {
  createTestNetwork,
  type TestNetwork,
  type TestNetworkOptions,
  type TrimmableBroker,
} from "./test-network.ts";
export { type TestApi } from "./test-api.ts";
export { createVirtualClock, type VirtualClock } from "./virtual-clock.ts";
