/**
 * What travels through the channels of this example, and its limits: shared by its server and its page.
 *
 * @module
 */

/** Characters (UTF-16 units, as an input counts them). */
export const MAX_TEXT = 500;
export const MAX_NAME = 24;

/** A message of `chat/{room}`. */
export interface ChatMessage {
  /** Whose it is: random, made once per browser. A name alone would let two people be one. */
  readonly by: string;
  readonly name: string;
  readonly text: string;
}

/** A message of `typing/{room}`. */
export interface Typing {
  readonly by: string;
  readonly name: string;
  readonly typing: boolean;
}

export function isChatMessage(value: unknown): value is ChatMessage {
  const { by, name, text } = asRecord(value);
  return isText(by, 64) && isText(name, MAX_NAME) && isText(text, MAX_TEXT);
}

export function isTyping(value: unknown): value is Typing {
  const { by, name, typing } = asRecord(value);
  return isText(by, 64) && isText(name, MAX_NAME) && typeof typing === "boolean";
}

function isText(value: unknown, limit: number): boolean {
  return typeof value === "string" && value.trim() !== "" && value.length <= limit;
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
