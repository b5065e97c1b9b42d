import type { ClientState } from "partyline/client";

/** That there is no connection: since when, and what ended it. */
export interface Away {
  readonly since: number;
  readonly reason: string;
}

/**
 * What becomes of it with a new state. The first reason stays: it is what happened, and those that follow are only
 * why it could not be mended yet.
 */
export function followAway(away: Away | undefined, state: ClientState, now: number): Away | undefined {
  if (state.status === "live") return undefined;
  const reason = state.reason === undefined ? "" : `${state.reason.message.replace(/\.?$/, ".")} `;
  return away === undefined || state.status === "closed" ? { since: away?.since ?? now, reason } : away;
}

export interface ConnectionText {
  readonly label: string;
  /** What it means for who is writing; empty while all is well. */
  readonly detail: string;
}

/** How long a first attempt may take before the page makes words about it. */
const PATIENCE = 3;

/** Says in words how the connection is. */
export function connectionText(state: ClientState, away: Away | undefined, now: number): ConnectionText {
  const { since, reason } = away ?? { since: now, reason: "" };
  const seconds = Math.max(0, Math.floor((now - since) / 1000));
  const keeps = "What you write is kept and sent when the connection is back.";
  switch (state.status) {
    case "connecting":
      return {
        label: "Connecting",
        detail: seconds < PATIENCE ? "" : `Trying for ${span(seconds)}. ${keeps}`,
      };
    case "live":
      return {
        label: state.transport === "ws" ? "Live" : `Live over ${state.transport ?? "HTTP"}`,
        detail: "",
      };
    case "suspect":
      return { label: "Checking", detail: "" };
    case "reconnecting":
      return { label: "Reconnecting", detail: `${reason}Trying again for ${span(seconds)}. ${keeps}` };
    case "offline":
      return { label: "Offline", detail: `This device has had no network for ${span(seconds)}. ${keeps}` };
    case "closed":
      return { label: "Closed", detail: `${reason}Reload the page to connect again.` };
  }
}

function span(seconds: number): string {
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`;
}
