/** What the server's process and the test say to each other. */
import type { PublishOptions, PublishResult } from "../../../src/client/index.ts";
import type { ChannelName } from "../history.ts";
import type { Trouble } from "../trouble.ts";
import type { ChannelEnd } from "../world.ts";
import type { FlatError } from "../../support/flat-error.ts";

/** How the server is started: the first argument, as JSON. */
export interface ServerStart {
  /** Path of the broker that has its past; absent: in itself. */
  readonly past?: string;
  /** How far the clock of its own broker is ahead, ms. */
  readonly ahead: number;
}

/** What the server is asked. */
export interface Requests {
  publish(channel: string, data: unknown, options: PublishOptions): Promise<PublishResult>;
  jump(ms: number): Promise<void>;
  forget(channel: ChannelName): Promise<void>;
  trouble(channel: ChannelName, times: number, trouble: Trouble): Promise<void>;
  ends(channel: ChannelName): Promise<ChannelEnd>;
  close(): Promise<void>;
  drain(): Promise<void>;
}

export interface Request {
  readonly n: number;
  readonly method: keyof Requests;
  readonly args: readonly unknown[];
}

export type Answer =
  | { readonly is: "listening"; readonly port: number }
  | { readonly is: "answer"; readonly n: number; readonly value: unknown }
  | { readonly is: "failure"; readonly n: number; readonly error: FlatError };
