/**
 * One server on all cores: worker processes that share a port and one broker.
 *
 * @module
 */
export type { WorkerReport } from "./messages.ts";
export { runWorkers, type Workers, type WorkersCounters, type WorkersOptions } from "./run-workers.ts";
export type { Serve, WorkerServer } from "./worker.ts";
