import type { ChatMessage } from "../message.ts";

/** A message that the server has stored. */
export interface Said extends ChatMessage {
  readonly kind: "said";
  /** Its place in the room, `epoch:offset`. */
  readonly position: string;
  readonly id: string | undefined;
  readonly time: number;
}

/** Messages are missing between what stands before and what follows. */
export interface Missing {
  readonly kind: "missing";
  readonly position: string;
  readonly text: string;
}

/** A message of one's own that the server may not have. */
export interface Unsent extends ChatMessage {
  readonly id: string;
  readonly time: number;
  /** `waiting`: on its way, or will be. `stored`: the server has it, its echo is still to come. `failed`: refused. */
  readonly state: "waiting" | "stored" | "failed";
  readonly problem?: string;
}

/** A line of the room, as it is shown. */
export type Row =
  | { readonly kind: "day"; readonly key: string; readonly label: string }
  | { readonly kind: "missing"; readonly key: string; readonly text: string }
  | MessageRow;

export interface MessageRow extends ChatMessage {
  readonly kind: "message";
  readonly key: string;
  readonly time: number;
  readonly own: boolean;
  /** Begins a group: shows who speaks and when. */
  readonly first: boolean;
  readonly state: "stored" | "waiting" | "failed";
  readonly id: string | undefined;
  readonly problem: string | undefined;
}

/** Messages of one person closer together than this form a group. */
const GROUP = 5 * 60_000;

/** Lays out a room: days, groups, gaps, and what is unsent at the end. */
export function layOut(
  log: readonly (Said | Missing)[],
  unsent: readonly Unsent[],
  me: string,
  now: number,
): Row[] {
  const rows: Row[] = [];
  let day = "";
  /** The message before, if the next one may join its group. */
  let before: MessageRow | undefined;

  const add = (message: Omit<MessageRow, "kind" | "first">): void => {
    const date = dayOf(message.time);
    if (date !== day) {
      day = date;
      rows.push({ kind: "day", key: `day ${date} ${message.key}`, label: dayLabel(message.time, now) });
      before = undefined;
    }
    const joins =
      before?.by === message.by && before.name === message.name && message.time - before.time < GROUP;
    before = { ...message, kind: "message", first: !joins };
    rows.push(before);
  };

  for (const item of log) {
    if (item.kind === "missing") {
      rows.push({ kind: "missing", key: `missing ${item.position}`, text: item.text });
      before = undefined;
    } else {
      const { position, id, time, by, name, text } = item;
      const own = by === me;
      // The echo of an own message takes the place of the unsent one, element and all.
      add({
        key: own && id !== undefined ? id : position,
        time,
        by,
        name,
        text,
        own,
        state: "stored",
        id,
        problem: undefined,
      });
    }
  }
  for (const { id, time, by, name, text, state, problem } of unsent) {
    add({ key: id, time, by, name, text, own: true, state, id, problem });
  }
  return rows;
}

function dayOf(time: number): string {
  const date = new Date(time);
  return `${date.getFullYear()}-${date.getMonth() + 1}-${date.getDate()}`;
}

function dayLabel(time: number, now: number): string {
  if (dayOf(time) === dayOf(now)) return "Today";
  // Noon, so that a day of 23 or 25 hours counts as one.
  if (dayOf(time) === dayOf(new Date(now).setHours(12) - 86_400_000)) return "Yesterday";
  return new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long" }).format(time);
}

const letters = new Intl.Segmenter();

/** Up to two letters that stand for a name. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  const [first = "", last = ""] = words.length > 1 ? [words[0], words.at(-1)] : words;
  return `${firstLetter(first)}${firstLetter(last)}`.toUpperCase();
}

/** What a reader takes for one letter: `é` in two parts and a flag are one. */
function firstLetter(word: string): string {
  for (const { segment } of letters.segment(word)) return segment;
  return "";
}

/** A hue that stays with a person: 0 to 359. */
export function hueOf(by: string): number {
  let hash = 0;
  for (const character of by) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  // Steps of 30 degrees: two people have the same colour or clearly different ones.
  return (hash % 12) * 30;
}
