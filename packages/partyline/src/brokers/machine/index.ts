/**
 * One broker for several processes of a machine.
 *
 * @module
 */
export { connectBroker, type ConnectedBroker, type ConnectOptions } from "./connect-broker.ts";
export { shareBroker, type SharedBroker, type ShareOptions } from "./share-broker.ts";
