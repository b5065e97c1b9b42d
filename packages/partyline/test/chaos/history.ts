/** What happens in one run, as data: it can be generated, printed, shortened, stored and played again. */
import type { TransportName } from "../../src/client/index.ts";
import type { Keep } from "../../src/protocol/message.ts";

export interface History {
  readonly seed: number;
  readonly setup: Setup;
  readonly steps: readonly Step[];
}

export interface Setup {
  /** `own`: a memory broker in the server, gone with it. `outliving`: one that the server is only connected to. */
  readonly broker: "own" | "outliving";
  /** With two, both are on the broker that outlives them. What happens to the server happens to the first. */
  readonly servers: 1 | 2;
  readonly clients: readonly ClientSetup[];
}

export interface ClientSetup {
  /** The best first. */
  readonly transports: readonly TransportName[];
  readonly onGap: "continue" | "function";
  /** Messages that an iterator lets wait. */
  readonly buffer: number;
  /** Is it told what the channels keep before the server tells? */
  readonly knowsKeep: boolean;
  /** Most messages a second that it asks for. */
  readonly maxRate?: number;
  /** Do its publishes survive a reload of its page? */
  readonly stores: boolean;
  /** Is it one of the tabs that share a connection? */
  readonly shares?: true;
}

/** The channels of every history. */
export const CHANNELS: Readonly<Record<ChannelName, { readonly keep: Keep; readonly count?: number }>> = {
  /** Its retention is overrun all the time. */
  small: { keep: "history", count: 40 },
  big: { keep: "history" },
  latest: { keep: "latest" },
  nothing: { keep: "nothing" },
};
export type ChannelName = "small" | "big" | "latest" | "nothing";
export const CHANNEL_NAMES: readonly ChannelName[] = ["small", "big", "latest", "nothing"];

/** What can be done to a client's line. */
export type LineFault =
  | { readonly fault: "cut" | "unplug" | "stripUpgrade" }
  | { readonly fault: "halfClose" | "blackhole" | "buffer"; readonly direction: "up" | "down" }
  /** `amount`: ms, bytes a second, bytes. */
  | { readonly fault: "delay" | "throttle" | "split"; readonly amount: number };

/** Client and channel of a step that concerns both. */
interface ReaderPlace {
  readonly client: number;
  readonly channel: ChannelName;
}

/** What can happen, by name. `client` is an index into the setup. */
export interface StepFields {
  pass: { readonly ms: number };
  publish: {
    /** Absent: by the server's own code. */
    readonly client?: number;
    readonly channel: ChannelName;
    readonly count: number;
    readonly bytes: number;
  };
  /** Of `latest`. */
  delete: { readonly client: number; readonly key: number };
  /** By plain `POST`s with an `Idempotency-Key`, one after the other, each repeated until it is answered. */
  post: ReaderPlace & { readonly count: number };
  read: ReaderPlace & {
    readonly since: "now" | "earliest" | "last:5";
    /** Ms for each message of an iterator; absent: by a listener. */
    readonly pace?: number;
  };
  /** By what is no client of ours: an event stream, perhaps of so many messages a second, or polls of JSON. */
  stream: ReaderPlace & { readonly by: "events" | "polls"; readonly maxRate?: number };
  leave: ReaderPlace;
  pause: ReaderPlace;
  resume: ReaderPlace;
  switch: { readonly client: number; readonly transport: TransportName };
  fault: { readonly client: number } & LineFault;
  mend: { readonly client: number };
  /** New connections go to this server. */
  lead: { readonly client: number; readonly server: "first" | "second" };
  /** The page ends without a word, and is opened again. */
  reload: { readonly client: number };
  /** A tab that shares hangs, and goes on. */
  freeze: { readonly client: number };
  thaw: { readonly client: number };
  /** Many clients come at once. */
  storm: { readonly channel: ChannelName; readonly clients: number };
  /** And go. */
  calm: object;
  /** The server ends in the middle of what it does (SIGKILL). */
  kill: object;
  /** It ends in good order. */
  close: object;
  /** A deploy: another one takes its place, and it lets its clients go. */
  drain: object;
  start: { readonly past: boolean };
  /** It does nothing any more (SIGSTOP), and goes on (SIGCONT). */
  stop: object;
  continue: object;
  /** The broker's clock; also backwards. */
  jump: { readonly ms: number };
  /** The log of a channel begins a new life. */
  forget: { readonly channel: ChannelName };
  /** The broker refuses the next appends. */
  refuse: {
    readonly channel: ChannelName;
    readonly times: number;
    readonly code: "overloaded" | "invalid";
  };
  /** The broker stores them or not, and does not say. */
  doubt: { readonly channel: ChannelName; readonly times: number; readonly stored: boolean };
}

/**
 * One step. A step that does not fit (to start a server that runs) does nothing, so that a history from which steps
 * were taken out is still one.
 */
export type Step = { [Name in keyof StepFields]: { readonly do: Name } & StepFields[Name] }[keyof StepFields];

/** A step in one line. */
export function describeStep({ do: what, ...rest }: Step): string {
  return [what, ...Object.entries(rest).map(([name, value]) => `${name}=${String(value)}`)].join(" ");
}
