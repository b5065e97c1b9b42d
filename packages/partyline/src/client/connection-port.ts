import type { BackoffOptions } from "./backoff.ts";
import type { ClientState } from "./client-types.ts";
import type { Keeper, KeeperRequest } from "./keeper.ts";
import type { Link, LinkHost, LinkRequest, TransportName, Transports } from "./link.ts";
import type { Runtime } from "./runtime.ts";

/** Times of a connection, ms. */
export interface ConnectionTiming extends BackoffOptions {
  /** How long a transport may take until its first frame, before the next one is opened beside it. */
  readonly fallbackDelay: number;
  /** How long a transport may take until its first frame. */
  readonly openTimeout: number;
  /** A connection that lasted this long was a good one: failures are forgotten. */
  readonly stableAfter: number;
  /** Until a better transport is tried again; doubles up to ten times this. */
  readonly upgradeInterval: number;
}

/** What the connection needs, and whom it tells. */
export interface ConnectionPort {
  readonly runtime: Runtime;
  readonly timing: ConnectionTiming;
  /** In order of preference. */
  readonly order: readonly TransportName[];
  readonly transports: Transports;
  readonly request: Omit<LinkRequest, "host" | "token">;
  token(): Promise<string | undefined>;
  readonly host: Omit<LinkHost, "end" | "alive" | "drain">;
  /** A link is there on which nothing was published yet: the first one, or one that takes over. */
  connected(link: Link): void;
  /** A link is gone: the present one, or, while that is `live`, one that was being opened beside it. */
  interrupted(live: boolean): void;
  changed(state: ClientState): void;
  /** Loads what keeps a client live. */
  keeper(request: KeeperRequest): Promise<Keeper>;
}
