import type { EntryKind, Keep } from "../../protocol/message.ts";
import type { GapReason } from "../../protocol/since.ts";

/** A message, as far as the oracle compares it. Not every reader is told all of it; what is absent is not compared. */
export interface SeenMessage {
  /** `epoch:offset`. */
  readonly position: string;
  readonly id?: string | undefined;
  readonly key?: string | undefined;
  readonly kind?: EntryKind | undefined;
  /** As text, the same for the same data; empty for a deletion. */
  readonly data: string;
}

/** What a reader was told, positions as text. */
export type Told =
  /** Where its first attach began. */
  | { readonly is: "began"; readonly position: string }
  | ({ readonly is: "message" } & SeenMessage)
  | {
      readonly is: "gap";
      readonly from: string;
      readonly to: string;
      readonly reason: GapReason;
      readonly lost?: number | undefined;
    }
  | { readonly is: "skip"; readonly from: string; readonly to: string };

/** One reader of one channel, from its first attach on. */
export interface ReaderRecord {
  readonly reader: string;
  readonly channel: string;
  /** Most messages a second that it asked for: then some may be left out, told by skips, but never the newest. */
  readonly maxRate?: number | undefined;
  /** In the order in which it was told. */
  readonly told: readonly Told[];
  /** Is it still there in the end, with nothing on its way to it? Then it must stand at the head. */
  readonly present: boolean;
}

/** What became of a publish. */
export type PublishFate =
  /** Not settled when the record ends. */
  | { readonly is: "pending" }
  | { readonly is: "stored"; readonly position: string; readonly duplicate: boolean }
  /** A newer value of its key took its place before it was ever sent. */
  | { readonly is: "superseded" }
  | { readonly is: "refused"; readonly code: string };

/** One publish; those of a publisher on a channel stand in the order in which they were asked for. */
export interface PublishRecord {
  readonly publisher: string;
  readonly channel: string;
  readonly id: string;
  readonly key?: string | undefined;
  readonly kind: EntryKind;
  readonly data: string;
  /**
   * It was under way when the log lost its past under a living connection. Perhaps both lives have it, in the later one
   * behind what was published after it: its place among others says nothing.
   */
  readonly spansLives?: boolean | undefined;
  readonly fate: PublishFate;
}

/** What is known of a channel apart from its readers and publishers. */
export interface ChannelRecord {
  readonly channel: string;
  readonly keep: Keep;
  /**
   * How many messages it keeps at least, where nothing but the count may drop them: then a gap that covers what was
   * still kept is found. Absent: any gap may be right.
   */
  readonly count?: number | undefined;
  /** How many lives its log has had, as far as they were ended on purpose: 1 more than its past was lost. */
  readonly lives: number;
  /** Where it ended, when all had come to rest; absent where nobody has asked. */
  readonly head?: string | undefined;
  /** What it keeps in the end, in order; absent where nobody has asked. */
  readonly kept?: readonly SeenMessage[] | undefined;
}

/** All that an oracle judges by. It is plain data: it can be stored, and judged again. */
export interface Evidence {
  readonly channels: readonly ChannelRecord[];
  readonly publishes: readonly PublishRecord[];
  readonly readers: readonly ReaderRecord[];
}

/** What can go wrong. */
export type ViolationKind =
  /** A reader was not given messages, and not told. */
  | "lost"
  /** A reader was given a message twice, or an id has two places in one life. */
  | "doubled"
  /** A reader was given a message after a later one. */
  | "reordered"
  /** Two who were given the message of one position were given different ones. */
  | "disagreement"
  /** A message that nobody published, or that was refused, or whose data are not those of its publish. */
  | "foreign"
  /** A gap covers more or less than what is missing, or its reason is none. */
  | "false-gap"
  /** A channel that keeps its history left something out. */
  | "false-skip"
  /** What was acknowledged is not in the log, though that is still in the same life. */
  | "vanished"
  /** A log began a new life, and its past had not been lost. */
  | "false-life"
  /** Two publishes of one publisher are stored the wrong way round. */
  | "misordered"
  /** A reader does not stand at the head, though all has come to rest. */
  | "behind"
  /** A reader of a `latest` channel ends with another state than the channel. */
  | "false-state"
  /** A publish was neither stored nor refused. */
  | "unsettled";

/** A promise that was broken. */
export interface Violation {
  readonly is: ViolationKind;
  readonly channel: string;
  /** Of whom the promise was broken: a reader's or a publisher's name. */
  readonly of?: string | undefined;
  /** What exactly, with positions. */
  readonly message: string;
}
