/**
 * The broker that keeps everything in this process.
 *
 * @module
 */
export { createMemoryBroker, type MemoryBroker, type MemoryBrokerOptions } from "./memory-broker.ts";
