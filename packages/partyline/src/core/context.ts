import type { Limits } from "../protocol/limits.ts";
import type { Authenticator } from "./authenticate.ts";
import type { Definitions } from "./definitions.ts";
import type { Broker, Clock, FailureLog, Logger, Metrics } from "./ports.ts";
import type { Turn } from "./turn.ts";
import type { TimerWheel } from "./wheel.ts";

/** How often the engine speaks up by itself, ms. */
export interface Intervals {
  /** A channel that is quiet for this long repeats its newest position. Default 20 000. */
  readonly mark: number;
  /** The broker is asked for the heads of all followed channels. Default 20 000. */
  readonly head: number;
}

/** What all parts of one engine share. */
export interface Context {
  readonly broker: Broker;
  readonly definitions: Definitions;
  readonly authenticate: Authenticator;
  readonly limits: Limits;
  readonly intervals: Intervals;
  readonly clock: Clock;
  readonly turn: Turn;
  readonly wheel: TimerWheel;
  readonly logger: Logger;
  readonly failures: FailureLog;
  readonly metrics: Metrics;
}
