import type { Client, ClientOptions, TransportName } from "../../src/client/index.ts";
import type { OracleMessage, OracleTarget } from "../../src/testing/oracle/index.ts";
import type { ChannelName, LineFault, Spelling } from "./history.ts";
import type { Surroundings } from "./kinds/surroundings.ts";
import type { Trouble } from "./trouble.ts";

/** A client, and the line that it alone goes over. */
export interface WorldClient {
  readonly client: Client;
  /** Does this to the line, until it is mended. */
  readonly disturb: (fault: LineFault) => void;
  readonly mend: () => void;
  /** Leads new connections to this server, where there is one. */
  readonly lead: (server: "first" | "second") => boolean;
  /** The page it is in, where that can be killed and frozen. */
  readonly tab?: Tab;
  /** One HTTP request over the line. */
  readonly fetch: typeof fetch;
  /** Of the server, over the line. */
  readonly url: string;
}

/** The page of a client that shares its connection with others. */
export interface Tab {
  readonly frozen: boolean;
  /** It is gone, without a word. */
  kill(): void;
  /** It does nothing any more, and hears nothing until it goes on. */
  freeze(): void;
  thaw(): void;
}

/** Where a channel ends, and what it keeps. */
export interface ChannelEnd {
  readonly head: string | undefined;
  readonly kept: readonly OracleMessage[];
}

/** Where histories are played: a server or two, their past, clients and lines. */
export interface World extends AsyncDisposable {
  readonly name: "memory" | "processes";
  /** Lets time pass. */
  pass(ms: number): Promise<void>;
  /** Resolves after this time, but does not make it pass. */
  after(ms: number): Promise<void>;
  openClient(
    options: ClientOptions & { readonly transports: readonly TransportName[] },
    surroundings?: Surroundings,
  ): Promise<WorldClient>;

  /** Does the server, the first one, run? Also where it is stopped. */
  readonly running: boolean;
  readonly stopped: boolean;
  /** It ends in the middle of what it does, without a word. */
  kill(): Promise<void>;
  /** It ends in good order. */
  close(): Promise<void>;
  /** Another one takes its place, while it lets its clients go; false where that would not have its past. */
  drain(): Promise<boolean>;
  /** Starts it again; with its past if it can. Answers whether it has it. */
  start(past: boolean): Promise<boolean>;
  /** It does nothing any more, and its connections stay. */
  stop(): void;
  continue(): void;

  // What follows asks the server, which must run.

  /** Another one after a drain: then it is another one who publishes by its own code. */
  readonly server: object;
  /** The server's own code. */
  channel(name: ChannelName, spelling?: Spelling): OracleTarget;
  jump(ms: number): Promise<void>;
  forget(name: ChannelName): Promise<void>;
  trouble(name: ChannelName, times: number, trouble: Trouble): Promise<void>;
  ends(name: ChannelName): Promise<ChannelEnd>;
}

/** Everything is quick, so that a history of a second has its time-outs too. Streams are quiet for a second at most. */
export const CLIENT_TIMING = {
  baseDelay: 5,
  maxDelay: 80,
  openTimeout: 700,
  stableAfter: 400,
  upgradeInterval: 500,
  pingInterval: 1500,
  pongTimeout: 1000,
} as const;

/** How it is drained: some connections have not left in time. */
export const DRAIN = { within: 1500, rate: 20 } as const;

/** The server's share of that. */
export const SERVER_TIMING = {
  heartbeat: { ping: 1, pong: 1, comment: 1 },
  intervals: { mark: 500, head: 500 },
} as const;
