import type { ClientState, TransportName } from "partyline/client";

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
  if (state.status === "live" || state.status === "suspect") return undefined;
  const reason = state.reason === undefined ? "" : `${state.reason.message.replace(/\.?$/, ".")} `;
  return away === undefined || state.status === "closed" ? { since: away?.since ?? now, reason } : away;
}

export interface ConnectionText {
  readonly label: string;
  /** Why it is not by the best way there is; empty where it is. */
  readonly why: string;
  /** What it means for who is writing; empty while all is well. */
  readonly detail: string;
}

/** How long a first attempt may take before the page makes words about it. */
const PATIENCE = 3;

/** What people call the transports. */
const WAYS = { ws: "WebSocket", sse: "event stream", poll: "polling" };

/** Says in words how the connection is. */
export function connectionText(state: ClientState, away: Away | undefined, now: number): ConnectionText {
  const { since, reason } = away ?? { since: now, reason: "" };
  const seconds = Math.max(0, Math.floor((now - since) / 1000));
  const keeps = "What you write is kept and sent when the connection is back.";
  const plain = { why: "", detail: "" };
  switch (state.status) {
    case "connecting":
      return {
        ...plain,
        label: "Connecting",
        detail: seconds < PATIENCE ? "" : `${reason}${attempt(state, seconds, now)} ${keeps}`,
      };
    case "live": {
      const { transport = "ws", because = {} } = state;
      const why = Object.entries(because).map(([name, what]) => `${WAYS[name as TransportName]}: ${what}`);
      return {
        ...plain,
        label: transport === "ws" ? "Live" : `Live by ${WAYS[transport]}`,
        why: why.join(" "),
      };
    }
    case "suspect":
      return { ...plain, label: "Checking" };
    case "reconnecting":
      return { ...plain, label: "Reconnecting", detail: `${reason}${attempt(state, seconds, now)} ${keeps}` };
    case "offline":
      return {
        ...plain,
        label: "Offline",
        detail: `This device has had no network for ${span(seconds)}. ${keeps}`,
      };
    case "closed":
      return { ...plain, label: "Closed", detail: `${reason}Reload the page to connect again.` };
  }
}

/** When the next attempt is, or for how long it has been tried. */
function attempt({ status, retryAt = 0 }: ClientState, seconds: number, now: number): string {
  if (retryAt > now) return `Next attempt in ${span(Math.ceil((retryAt - now) / 1000))}.`;
  return `Trying ${status === "connecting" ? "" : "again "}for ${span(seconds)}.`;
}

function span(seconds: number): string {
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`;
}
