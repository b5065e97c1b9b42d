import { PartylineError } from "../../protocol/partyline-error.ts";
import type { LinkRequest } from "../link.ts";

/** URLs whose hint stands in the console already. */
const hinted = new Set<string>();

/**
 * Explains a request that failed without a response. A browser does not tell a page whether the server is down or does not
 * allow the page's origin, so the second cause is named where no page of this origin has ever reached the server.
 *
 * @returns `cause`, if there is nothing to add.
 */
export function explainFailure({ runtime, url }: LinkRequest, cause: unknown): unknown {
  const origin = globalThis.document && globalThis.location.origin;
  if (!origin || new URL(url).origin === origin || runtime.recall(`partyline:${url}`)) return cause;
  const remedy = `If the server runs, it does not allow this page: set its option origins: [${JSON.stringify(origin)}].`;
  const error = new PartylineError("offline", `${new URL(url).origin} can't be reached.`, { remedy, cause });
  if (!hinted.has(url)) runtime.warn(error.message, remedy);
  hinted.add(url);
  return error;
}
