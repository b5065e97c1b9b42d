import type { Unsent } from "./rows.ts";

/**
 * Keeps a room's unsent messages over a reload of the page. Per window, not per browser: two windows would both
 * send what one has written, which their ids make harmless but not tidy.
 */
export function loadUnsent(room: string): Unsent[] {
  try {
    return JSON.parse(sessionStorage.getItem(keyOf(room)) ?? "[]") as Unsent[];
  } catch {
    return [];
  }
}

export function saveUnsent(room: string, unsent: readonly Unsent[]): void {
  if (unsent.length === 0) sessionStorage.removeItem(keyOf(room));
  else sessionStorage.setItem(keyOf(room), JSON.stringify(unsent));
}

function keyOf(room: string): string {
  return `partyline-chat-unsent ${room}`;
}
