import type { CounterSnapshot, DrainOptions } from "../server.ts";

/** In the environment of a worker: where the broker is. */
export const BROKER_VARIABLE = "PARTYLINE_BROKER";

/** What the main process tells a worker. */
export type Order =
  | { readonly is: "drain"; readonly options: DrainOptions }
  | { readonly is: "close" }
  | { readonly is: "report"; readonly n: number };

/** What a worker tells the main process. */
export type Notice =
  { readonly is: "ready" } | { readonly is: "report"; readonly n: number; readonly report: WorkerReport };

/** How a worker is. */
export interface WorkerReport {
  readonly pid: number;
  /** WebSockets and streams that are open. */
  readonly connections: number;
  readonly counters: CounterSnapshot;
  /** How often it lost contact to the broker. */
  readonly losses: number;
}

/** The channel between the two may be the application's too. */
export interface Envelope<T> {
  readonly partyline: T;
}

export function isEnvelope<T>(message: unknown): message is Envelope<T> {
  return typeof message === "object" && message !== null && "partyline" in message;
}
