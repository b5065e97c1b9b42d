import { nameProblem } from "./channel-name.ts";

/**
 * Patterns over channel names, in definitions and grants. A segment is literal, `:param` or `*` (any one segment);
 * `**`, at the end only, is any rest of at least one segment. There are no regular expressions: a match takes
 * time linear in the name, whoever wrote the pattern.
 */
export interface Pattern {
  readonly text: string;
  /** The parameters of a matching name (empty where the pattern has none), or `undefined`. */
  match(name: string): Readonly<Record<string, string>> | undefined;
}

const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze({});

/**
 * Reads a pattern.
 *
 * @throws TypeError where a segment is empty, `**` is not the last one, a parameter has no name or comes twice, or
 * no channel name could ever match.
 */
export function parsePattern(text: string): Pattern {
  const segments = text.normalize("NFC").split("/");
  const names = segments.filter((segment) => segment.startsWith(":"));
  if (segments.some((segment) => segment === "" || segment === ":"))
    throw new TypeError(`Empty segment in the channel pattern "${text}".`);
  if (segments.slice(0, -1).includes("**"))
    throw new TypeError(`"**" may only be the last segment of a channel pattern: "${text}".`);
  if (new Set(names).size !== names.length)
    throw new TypeError(`A parameter comes twice in the channel pattern "${text}".`);
  if (segments.some((segment) => segment !== "*" && segment !== "**" && segment.includes("*")))
    throw new TypeError(`"*" stands for a whole segment only, in the channel pattern "${text}".`);
  if (segments.some((segment) => !/^[*:]/.test(segment) && nameProblem(segment) !== undefined))
    throw new TypeError(`No channel name can match the channel pattern "${text}".`);

  const rest = segments.at(-1) === "**";
  const fixed = rest ? segments.slice(0, -1) : segments;

  return {
    text,
    match(name) {
      const parts = name.split("/");
      if (rest ? parts.length <= fixed.length : parts.length !== fixed.length) return undefined;
      let params: Record<string, string> | undefined;
      for (const [index, segment] of fixed.entries()) {
        const part = parts[index] ?? "";
        if (segment === "*" || segment === part) continue;
        if (!segment.startsWith(":")) return undefined;
        params ??= {};
        params[segment.slice(1)] = part;
      }
      return params ?? NO_PARAMS;
    },
  };
}
