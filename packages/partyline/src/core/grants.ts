import { isReservedName } from "../protocol/channel-name.ts";
import { type Check, oneOf } from "../protocol/options.ts";
import { parsePattern } from "../protocol/pattern.ts";
import type { Action, Grants } from "./ports.ts";

/** What the application's own code may do: everything, reserved channels and `publish: "server"` ones included. */
export const SERVER_GRANTS: Grants = { allows: () => true };

/** What anybody may do where nothing else was said: everything but reserved channels. */
export const OPEN_GRANTS: Grants = { allows: (_action, channel) => !isReservedName(channel) };

/**
 * Whether these grants allow an action.
 *
 * @throws TypeError if the application's `allows` gives no boolean: a promise would allow everything.
 */
export function mayDo(grants: Grants, action: Action, channel: string): boolean {
  const answer: unknown = grants.allows(action, channel);
  if (typeof answer === "boolean") return answer;
  // Nobody awaits it, and its rejection must not end the process.
  if (answer instanceof Promise) answer.catch(() => undefined);
  throw new TypeError(
    `\`allows\` returned ${answer instanceof Promise ? "a promise" : typeof answer}: return a boolean. Await what it needs in \`authenticate\`.`,
  );
}

/** Actions by channel pattern, as an application writes them. */
export type GrantTable = Readonly<Record<string, readonly Action[]>>;

const isAction: Check = oneOf("subscribe", "publish");

/**
 * Grants from a table: an action is allowed if any matching pattern names it.
 *
 * @throws TypeError if a pattern is malformed, or an action does not exist.
 *
 * @example
 * ```ts
 * grants({ "chat/*": ["subscribe", "publish"], "scores/**": ["subscribe"] });
 * ```
 */
export function grants(table: GrantTable): Grants {
  if (typeof table !== "object" || table === null || Array.isArray(table))
    throw new TypeError('`grants` takes actions by pattern: `grants({ "chat/*": ["subscribe"] })`.');
  const rows = Object.entries(table).map(([text, actions]) => {
    // A string has `includes` too, by which "publish-not" would allow "publish".
    if (!Array.isArray(actions)) throw new TypeError(`The actions of "${text}" are a list: ["subscribe"].`);
    for (const action of actions) {
      const problem = isAction(action);
      if (problem !== undefined)
        throw new TypeError(`An action of "${text}" is ${problem}, not ${JSON.stringify(action)}.`);
    }
    return { pattern: parsePattern(text), actions };
  });
  return {
    allows: (action, channel) =>
      !isReservedName(channel) &&
      rows.some(({ pattern, actions }) => actions.includes(action) && pattern.match(channel)),
  };
}
