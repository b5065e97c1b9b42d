import { PartylineError } from "./errors.ts";

/** The longest channel name, in bytes of UTF-8. */
export const MAX_NAME_BYTES = 255;

/**
 * The longest text that may be a name, in UTF-16 units: decomposed, a character has fewer than two for each of its bytes.
 * A longer text is never normalized, because that takes quadratic time for combining marks out of order.
 */
const MAX_TEXT_UNITS = 2 * MAX_NAME_BYTES;

// `*`, `{`, `}` and `:` mean something in patterns; control characters would end up in logs and headers.
// oxlint-disable-next-line no-control-regex -- they are what is refused
const FORBIDDEN = /[*{}:\u0000-\u001f\u007f-\u009f]/;

const TOO_LONG = `A channel name of more than ${MAX_NAME_BYTES} bytes`;

/** Lone surrogates have no UTF-8 form, so two of them would be one name on the wire. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Names of ASCII letters, digits and a few signs, none of which needs a closer look: nearly all. */
const PLAIN = /^[\w-][\w.-]*(?:\/[\w-][\w.-]*)*$/;

/**
 * The channel name that was meant by the text of a frame, in its one normal form (NFC).
 *
 * @throws PartylineError `bad-name` where a segment is empty, `.` or `..`, where a character is not allowed, or
 * where the name is longer than {@link MAX_NAME_BYTES}.
 */
export function parseChannelName(text: string): string {
  if (text.length <= MAX_NAME_BYTES && PLAIN.test(text)) return text;
  const name = normalForm(text);
  const problem = name === undefined ? TOO_LONG : nameProblem(name);
  if (name === undefined || problem !== undefined)
    throw new PartylineError("bad-name", `${problem}: ${JSON.stringify(text.slice(0, 80))}.`);
  return name;
}

/** The text in the form in which names are compared; `undefined` if it is too long for a name. */
export function normalForm(text: string): string | undefined {
  return text.length > MAX_TEXT_UNITS ? undefined : text.normalize("NFC");
}

/**
 * The channel name in a URL path, decoded exactly once: everything behind `/channels/`.
 *
 * @throws PartylineError `bad-name`, as {@link parseChannelName}, and for `%2F` and malformed escapes: an encoded
 * slash is a slash to some proxies and not to others, so it can't be told apart from a separator.
 */
export function parseChannelPath(path: string): string {
  if (!path.includes("%")) return parseChannelName(path);
  if (/%2f/i.test(path)) throw new PartylineError("bad-name", "An encoded slash (%2F) in a channel name.");
  try {
    return parseChannelName(decodeURIComponent(path));
  } catch (error) {
    if (error instanceof PartylineError) throw error;
    throw new PartylineError("bad-name", `A malformed percent escape: ${JSON.stringify(path.slice(0, 80))}.`);
  }
}

/** The path part for a channel name, ready to stand behind `/channels/`. */
export function channelPath(name: string): string {
  return name.split("/").map(encodeURIComponent).join("/");
}

/** Names with a leading `$` belong to the servers themselves. */
export function isReservedName(name: string): boolean {
  return name.startsWith("$");
}

/** What keeps this text, in its normal form, from being a channel name; `undefined` where nothing does. */
export function nameProblem(name: string): string | undefined {
  if (name === "") return "An empty channel name";
  if (FORBIDDEN.test(name)) return "A character that channel names may not hold";
  if (LONE_SURROGATE.test(name)) return "Half a character (a lone surrogate)";
  // A third of the limit in UTF-16 units can't exceed it in bytes: no need to count.
  if (name.length > MAX_NAME_BYTES / 3 && new TextEncoder().encode(name).length > MAX_NAME_BYTES)
    return TOO_LONG;
  if (name.split("/").some((segment) => segment === "" || segment === "." || segment === ".."))
    return "An empty segment, `.` or `..`";
  return undefined;
}
