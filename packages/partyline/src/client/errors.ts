import { PartylineError } from "../protocol/partyline-error.ts";
import type { RefusalFrame } from "./link.ts";
import type { ChannelGap } from "./message.ts";

/** The error that a server told. */
export function fromErrorFrame(frame: RefusalFrame): PartylineError {
  return new PartylineError(frame.code, frame.message, frame);
}

/** The connection is gone; a new one is on its way unless the client says otherwise. */
export function connectionLost(message: string, cause?: unknown): PartylineError {
  return new PartylineError("offline", message, { remedy: "It reconnects by itself.", cause });
}

/** Nothing was heard for too long. */
export function silence(): PartylineError {
  return connectionLost("The server is silent.");
}

/** Told to what waits when the client or the channel is closed. */
export function closedError(what: string, cause?: unknown): PartylineError {
  return new PartylineError("closed", `${what} is closed.`, { remedy: "Make a new one.", cause });
}

/**
 * Thrown by the iterator of a channel, unless its `onGap` is `"continue"`: messages were missed.
 *
 * @example
 * ```ts
 * try {
 *   for await (const message of channel.messages()) apply(message);
 * } catch (error) {
 *   if (!(error instanceof GapError)) throw error;
 *   await loadEverything(); // then iterate again: it goes on behind the gap
 * }
 * ```
 */
export class GapError extends PartylineError {
  override readonly name = "GapError";
  declare readonly gap: ChannelGap;

  constructor(gap: ChannelGap, cause?: unknown) {
    super("gap", `Messages of "${gap.channel}" were missed, ${gap.from} to ${gap.to}: ${gap.reason}.`, {
      remedy: 'On "gap", load the state.',
      cause,
    });
    this.gap = gap;
  }
}
