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
  /** The name of the connection that it shares with other tabs; absent: none. */
  readonly shares?: "all" | "spellings";
  /** The trouble that this client has from the beginning to the end; absent: none. */
  readonly trouble?: ClientTrouble;
}

/** Trouble that stays, also when all other faults end: a client has to live with it. */
export interface ClientTrouble {
  /** Status by which something on the way refuses each `POST` that has a marked message. */
  readonly refusesMarked?: number;
  /** Bytes per second that its line carries to the server. */
  readonly uplink?: number;
  /** Whether its `navigator.onLine` may lie. */
  readonly lies?: true;
  /** What the authenticator does with each connection's token, one after the other and again from the first. */
  readonly tokens?: readonly TokenKind[];
  /** Origin of its page. Requests and their responses then follow the rules of browsers. */
  readonly origin?: string;
}

/**
 * `slow`: accepted after a while. `late refusal`: refused after a while. `throws`, `rejects`: the authenticator fails.
 * `none`: the page's own function fails, so that there is no token.
 */
export type TokenKind = "accepted" | "slow" | "throws" | "rejects" | "refused" | "none";

/** The channels of every history. */
export const CHANNELS: Readonly<Record<ChannelName, { readonly keep: Keep; readonly count?: number }>> = {
  /** Its retention is overrun all the time. */
  small: { keep: "history", count: 40 },
  big: { keep: "history" },
  latest: { keep: "latest" },
  nothing: { keep: "nothing" },
  /** Its name can be written in two ways. */
  "caf\u00e9": { keep: "history" },
};
export type ChannelName = "small" | "big" | "latest" | "nothing" | "caf\u00e9";
export const CHANNEL_NAMES: readonly ChannelName[] = ["small", "big", "latest", "nothing", "caf\u00e9"];

/** How a name is written: with letters that have their accents (NFC), or with accents of their own (NFD). */
export type Spelling = "composed" | "decomposed";

export function spell(name: ChannelName, spelling: Spelling = "composed"): string {
  return name.normalize(spelling === "composed" ? "NFC" : "NFD");
}

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
  readonly spelling?: Spelling;
}

/** Where a reader without our client puts the position from which it goes on. */
export type ResumesBy = "header" | "lastEventId" | "LASTEVENTID" | "since";

/** How an iterator ends: by its own methods, by leaving a loop, by a `Readable` that is destroyed, or never. */
export type IteratorEnd = "return" | "throw" | "break" | "destroy" | "abandon";

/** What a proxy does with one `POST`. `lost response`: the server has answered it, and 502 takes the place of that. */
export type ProxyAct =
  | { readonly act: "refuse"; readonly status: number; readonly retryAfter?: number }
  | { readonly act: "lost response" }
  | { readonly act: "redirect"; readonly status: 301 | 302 | 303 | 307 | 308 }
  /** Answered at once by 200 and this body, without the server; `welcome`: by the first line of the last response. */
  | { readonly act: "nothing"; readonly body: string };

/** What can happen, by name. `client` is an index into the setup. */
export interface StepFields {
  pass: { readonly ms: number };
  publish: {
    /** Absent: by the server's own code. */
    readonly client?: number;
    readonly channel: ChannelName;
    readonly count: number;
    readonly bytes: number;
    readonly spelling?: Spelling;
    /** Whether the messages have the mark that some proxies refuse. */
    readonly marked?: true;
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
  stream: ReaderPlace & {
    readonly by: "events" | "polls";
    readonly maxRate?: number;
    /** Default `header`; polls always have their position in `since` otherwise. */
    readonly resumes?: ResumesBy;
    /** Default `earliest`. */
    readonly since?: "earliest" | "last:2";
  };
  /** By an iterator that ends in this way after so many messages. */
  iterate: ReaderPlace & { readonly ends: IteratorEnd; readonly after: number };
  leave: ReaderPlace;
  pause: ReaderPlace;
  resume: ReaderPlace;
  switch: { readonly client: number; readonly transport: TransportName };
  fault: { readonly client: number } & LineFault;
  mend: { readonly client: number };
  /** The proxy on a client's line does this with its next `POST`s. */
  proxy: { readonly client: number; readonly times: number } & ProxyAct;
  /** The page's `navigator.onLine` becomes this, whatever the network does. */
  online: { readonly client: number; readonly says: boolean };
  /** Publishes, and tries to read, as somebody whom the server must refuse. */
  trespass: ReaderPlace & { readonly as: "stranger" | "foreign page" };
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
