import type { ResultFrame, WelcomeFrame } from "../../protocol/frames.ts";
import { PartylineError } from "../../protocol/partyline-error.ts";
import type { ClientState } from "../client-types.ts";
import type { Command, RefusalFrame, TransportName } from "../link.ts";
import type { Ask, ReadingItem } from "./reading.ts";

/** What tabs with different versions of these messages must not have in common: a part of every name. */
export const VERSION = 2;

/** In the room of all tabs. `hub` answers `who`; `lead` tells that the hub is new. */
export type RoomMessage = { readonly t: "who" } | { readonly t: "hub" | "lead"; readonly hub: string };

/** To a hub that a tab wants to be with: it answers with its status, in the room of the two. */
export interface Join {
  readonly tab: string;
}

/** From a tab to its hub. */
export type ToHub =
  | { readonly t: "leave" }
  | ({ readonly t: "attach"; readonly n: number; readonly channel: string } & Partial<Ask>)
  | { readonly t: "detach"; readonly channel: string }
  | ({
      readonly t: "command";
      readonly n: number;
      /** The connection that it is for; see {@link Status}. */
      readonly life: number;
      readonly fields: string;
    } & Pick<Command, "channel" | "first">)
  | { readonly t: "switch"; readonly n: number; readonly name: TransportName }
  /** Is the hub there? `heard` is how much this tab has taken. */
  | { readonly t: "ping"; readonly heard: number };

/** How the shared connection is. */
export interface Status {
  readonly t: "status";
  readonly state: Omit<ClientState, "reason" | "shared">;
  readonly reason: PlainError | undefined;
  /** The sender's clock, by which the state's times are. */
  readonly now: number;
  /** Which connection to the server this is, from 1; 0 where there is none. */
  readonly life: number;
  readonly welcome: WelcomeFrame | undefined;
}

/** From a hub to one of its tabs. */
export type ToTab =
  | Status
  | (ReadingItem & { readonly channel: string })
  | { readonly t: "answer"; readonly n: number; readonly frame: ResultFrame | RefusalFrame }
  | { readonly t: "switched"; readonly n: number; readonly error: PlainError | undefined }
  | { readonly t: "pong" }
  /** You are not, or no longer, one of this hub's tabs. `full`: it has as many as it takes, or can't reach this one. */
  | { readonly t: "bye"; readonly full: boolean };

/** What a hub posts at once. */
export interface HubPost {
  /** How much it has given to this tab until here. */
  readonly given: number;
  readonly items: readonly ToTab[];
}

/** An error as it goes from tab to tab: not all browsers keep what an Error is. */
export type PlainError = Pick<PartylineError, "code" | "message" | "remedy" | "retryAfter">;

export function toPlain({ code, message, remedy, retryAfter }: PartylineError): PlainError {
  return { code, message, remedy, retryAfter };
}

export function fromPlain({ code, message, remedy, retryAfter }: PlainError): PartylineError {
  return new PartylineError(code, message, { remedy, ...(retryAfter === undefined ? {} : { retryAfter }) });
}
