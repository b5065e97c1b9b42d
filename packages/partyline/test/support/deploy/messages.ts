import type { DrainOptions, PartylineOptions } from "../../../src/server.ts";

/** What a {@link file://./child.ts | server process} is told when it starts. */
export interface ServerOrders {
  /** Path of the shared broker. */
  readonly broker: string;
  /** Default: any that is free. */
  readonly port?: number;
  readonly limits?: PartylineOptions["limits"];
  /** How it ends at a SIGTERM; without it, it closes at once. */
  readonly drain?: DrainOptions;
}

/** What it reports when it is asked, and last of all. */
export interface ServerReport {
  /** Attaches that were let in, and that were put off. */
  readonly arrived: number;
  readonly postponed: number;
  /** Most attaches that were let in within one second. */
  readonly peak: number;
  /** From the first that was let in to the newest, seconds; and until nine of ten were. */
  readonly arriving: number;
  readonly mostArrived: number;
  /** Connections that were asked to leave, and that were sent away. */
  readonly asked: number;
  readonly sent: number;
  readonly connections: number;
}
