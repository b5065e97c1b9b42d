import type { PartylineError } from "../protocol/partyline-error.ts";
import type { DroppedPublish } from "./channel-types.ts";
import type { Codec } from "./codec.ts";
import type { Emitter } from "./emitter.ts";
import type { Link } from "./link.ts";
import type { Runtime } from "./runtime.ts";

/** Bounds of a client; each breach is told. */
export interface ClientLimits {
  /** Messages that an iterator lets wait, before the channel lags. */
  readonly bufferedMessages: number;
  /** Bytes that an iterator lets wait, before the channel lags. */
  readonly bufferedBytes: number;
  /** Publishes of all channels that may be unsettled (`overloaded`). */
  readonly pendingPublishes: number;
  /** Bytes of unsettled publishes of all channels (`overloaded`). */
  readonly pendingBytes: number;
  /** How long a publish may be unsettled where it does not say so itself, ms. */
  readonly publishTtl: number;
}

/** What the channels of one client share. */
export interface Core {
  readonly runtime: Runtime;
  readonly codec: Codec;
  readonly limits: ClientLimits;
  readonly link: Link | undefined;
  /** Data of a message may have this many bytes, as far as the server has told. */
  readonly messageBytes: number;
  /** What waits in all channels. */
  pendingPublishes: number;
  pendingBytes: number;
  /** The broker's clock, ms. */
  brokerTime(): number;
  /** What the client tells. */
  readonly events: Emitter<{ dropped: DroppedPublish; state: { readonly status: string } }>;
  /** Calls once after the time that is due after so many refusals; the returned function calls it off. */
  readonly afterBackoff: (refusals: number, error: PartylineError | undefined, run: () => void) => () => void;
}
