import { CliError } from "../exit.ts";
import { JsonText } from "../json-text.ts";

/** What is handed to the client. */
export interface Payload {
  readonly data: unknown;
  readonly kind: "json" | "text";
}

/** How the words of a command line, or a line of stdin, are meant. */
export interface PayloadOptions {
  readonly json?: boolean;
  readonly text?: boolean;
}

/**
 * The message in a text, by the rule that a server has for data without a content type: JSON where the whole of it
 * is an object or an array, otherwise text.
 */
export function readPayload(text: string, { json = false, text: plain = false }: PayloadOptions): Payload {
  if (plain) return { data: text, kind: "text" };
  if (!json && !/^\s*[[{]/.test(text)) return { data: text, kind: "text" };
  try {
    JSON.parse(text);
    return { data: new JsonText(text), kind: "json" };
  } catch (cause) {
    if (!json) return { data: text, kind: "text" };
    throw new CliError(
      `Not JSON: ${text.slice(0, 60)}`,
      'Quote texts ("hi"), or leave --json out.',
      undefined,
      cause,
    );
  }
}
