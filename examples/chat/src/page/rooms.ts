/** Rooms that are there to begin with; any other name makes one. */
export const FIRST_ROOMS: readonly string[] = ["lobby", "football", "music"];

const LONGEST = 32;

/** A room's name from what somebody wrote: lower-case letters and digits of any script, and hyphens. */
export function roomName(text: string): string {
  const words =
    text
      .normalize("NFC")
      .toLowerCase()
      .match(/[\p{Letter}\p{Mark}\p{Number}]+/gu) ?? [];
  return Array.from(words.join("-")).slice(0, LONGEST).join("").replace(/-$/, "");
}

/** A room's part of the address. With its slash it is never the id of an element, to which the browser would jump. */
export function roomHash(name: string): string {
  return `#/${encodeURIComponent(name)}`;
}

/** The room that an address asks for: `#/music`, `#music`, or `?room=music`. */
export function roomOf(url: URL): string {
  const text = url.hash.length > 1 ? url.hash.slice(1) : (url.searchParams.get("room") ?? "");
  return roomName(decode(text)) || (FIRST_ROOMS[0] ?? "lobby");
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
