import type { ClientState } from "partyline/client";

export interface ConnectionText {
  readonly label: string;
  /** What it means for who is writing; empty while all is well. */
  readonly detail: string;
}

/** Says in words how the connection is. `now` is of the same clock as `state.since`. */
export function connectionText(state: ClientState, now: number): ConnectionText {
  const seconds = Math.max(0, Math.floor((now - state.since) / 1000));
  const keeps = "What you write is kept and sent when the connection is back.";
  switch (state.status) {
    case "connecting":
      return {
        label: "Connecting",
        detail: seconds < 3 ? "" : `${reasonOf(state)}Trying for ${span(seconds)}. ${keeps}`,
      };
    case "live":
      return {
        label: state.transport === "ws" ? "Live" : `Live over ${state.transport ?? "HTTP"}`,
        detail: "",
      };
    case "reconnecting":
      return {
        label: "Reconnecting",
        detail: `${reasonOf(state)}Trying again for ${span(seconds)}. ${keeps}`,
      };
    case "offline":
      return { label: "Offline", detail: `This device has had no network for ${span(seconds)}. ${keeps}` };
    case "closed":
      return { label: "Closed", detail: `${reasonOf(state)}Reload the page to connect again.` };
  }
}

function reasonOf({ reason }: ClientState): string {
  return reason === undefined ? "" : `${reason.message.replace(/\.?$/, ".")} `;
}

function span(seconds: number): string {
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`;
}
