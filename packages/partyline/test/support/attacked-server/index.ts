import type { Limits } from "../../../src/protocol/limits.ts";
import type { RetentionOptions } from "../../../src/core/definitions.ts";
import type { Heartbeat } from "../../../src/transports/surroundings.ts";
import { startChild } from "../child.ts";

/** Options of an attacked server. */
export interface Settings {
  /**
   * `own`: a port of its own. `tls`: a port of its own with TLS and HTTP/2. `guest`: attached to the `node:http` server
   * of an application. `@default "own"`
   */
  readonly host?: "own" | "tls" | "guest";
  readonly limits?: Partial<Limits>;
  readonly retention?: RetentionOptions;
  readonly heartbeat?: Partial<Heartbeat>;
  /** `@default false` */
  readonly compression?: boolean;
  /**
   * Whether connections from loopback count like all others: the server takes 127.0.0.n for 203.0.113.n.
   * `@default false`
   */
  readonly countLoopback?: boolean;
  /** A request for a URL with this text ends the process: the fault that a test of the fuzzer plants. */
  readonly fault?: string;
}

/** Resources of the server process. */
export interface Usage {
  /** Bytes of objects and buffers after a garbage collection. */
  readonly held: number;
  /** Bytes of resident memory. */
  readonly rss: number;
  /** The largest resident memory since the start, in bytes. */
  readonly peak: number;
  /** CPU time since the start, in milliseconds. */
  readonly cpu: number;
  /** The most CPU time between two looks of a timer since the last answer, in milliseconds. */
  readonly stretch: number;
  /** WebSockets and streams. */
  readonly connections: number;
  /** Open file descriptors; 0 on systems without `/proc`. */
  readonly files: number;
}

/** Messages to the process. */
export type Ask = "measure" | "close";

/** A partyline server in a process of its own, for tests that attack it. */
export interface AttackedServer extends AsyncDisposable {
  readonly port: number;
  readonly tls: boolean;
  measure(): Promise<Usage>;
  /** Calls `server.close()`, then lets the process end by itself; resolves with its exit code. */
  close(): Promise<number | null>;
  /** Resolves with the exit code when the process ends. */
  readonly ended: Promise<number | null>;
}

/** Starts the server process. */
export async function startAttackedServer(settings: Settings = {}): Promise<AttackedServer> {
  const child = startChild("attacked-server", [JSON.stringify(settings)], { execArgv: ["--expose-gc"] });
  const { port } = await child.next<{ port: number }>();
  return {
    port,
    tls: settings.host === "tls",
    measure: () => child.ask<Usage>("measure" satisfies Ask),
    async close() {
      child.tell("close" satisfies Ask);
      return child.ended;
    },
    ended: child.ended,
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}
