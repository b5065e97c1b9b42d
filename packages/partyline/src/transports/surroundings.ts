import type { Engine } from "../core/ports.ts";
import type { Compression } from "./compression.ts";
import type { Registry } from "./registry.ts";

/** How often connections are looked after, seconds. */
export interface Heartbeat {
  /** A WebSocket is sent a ping when nothing came from it for so long. Default 25. */
  readonly ping: number;
  /** And is dead when the answer takes longer than this. Default 10. */
  readonly pong: number;
  /** A stream is sent a comment when nothing was written to it for so long. Default 15. */
  readonly comment: number;
}

/** Defaults of {@link Heartbeat}. */
export const DEFAULT_HEARTBEAT: Heartbeat = Object.freeze({ ping: 25, pong: 10, comment: 15 });

/** What all connections of one server share. */
export interface Surroundings {
  readonly engine: Engine;
  readonly registry: Registry;
  readonly heartbeat: Heartbeat;
  /** Absent: nothing is compressed. */
  readonly compression: Compression | undefined;
}
