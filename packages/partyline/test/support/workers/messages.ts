import type { WorkerReport, WorkersCounters } from "../../../src/workers/index.ts";

export interface WorkersOrders {
  readonly workers: number;
  /** The port that they share. */
  readonly port?: number;
  /** When a worker ends by itself, with code 7. */
  readonly dies?: "at start" | "soon";
}

export type WorkersLine =
  | { readonly is: "ready" }
  | { readonly is: "worker"; readonly pid: number; readonly port: number }
  | { readonly is: "report"; readonly reports: readonly WorkerReport[]; readonly counters: WorkersCounters };
