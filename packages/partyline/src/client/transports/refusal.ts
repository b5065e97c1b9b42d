import type { Problem } from "../../protocol/errors.ts";
import { PartylineError } from "../../protocol/partyline-error.ts";

/** A response that does not do what the request asked for. */
export interface Refusal {
  readonly error: PartylineError;
  /**
   * Effect on a command that was alone in the request. `refused` and `uncertain`: the response is about the command.
   * `offline`: it is about the way. `undefined`: the server refused the request, and `error` decides.
   */
  readonly verdict?: "refused" | "uncertain" | "offline" | undefined;
}

/** Statuses of 4xx that a proxy answers for the moment, or for the client, whatever the request holds. */
const PASSING = [401, 408, 425, 429];

/**
 * Reads a response that the server did not make as this protocol has it. A problem document with a code and a remedy
 * is the server's. All else comes from something on the way. So does a 404 or 405 after a redirect, because a redirect
 * can turn the `POST` into a `GET`.
 *
 * @param date Now, in milliseconds since 1970.
 */
export function readRefusal(response: Response, body: string, date: number): Refusal {
  const { headers, redirected, status, url } = response;
  const problem = readProblem(headers, body);
  const lost = redirected && (status === 404 || status === 405);
  if (problem && !lost) {
    const { code, detail = "", remedy } = problem;
    return {
      error: new PartylineError(code, detail, { ...problem, remedy }),
      // A server that failed may have stored the commands.
      verdict: status < 500 ? undefined : "offline",
    };
  }
  const header = headers.get("retry-after") ?? "";
  const retryAfter = Number(header) || (Date.parse(header) - date) / 1000;
  const where = redirected ? ` after a redirect to ${url}` : "";
  return {
    error: new PartylineError("offline", `HTTP status ${status}${where}, not from a partyline server.`, {
      remedy: "Find the proxy or firewall that answers.",
      retryAfter,
    }),
    verdict: verdictOn(redirected ? 0 : status),
  };
}

function verdictOn(status: number): Refusal["verdict"] {
  // Neither the request nor the way was refused, and no server of ours was reached.
  if (status < 400) return "uncertain";
  return status < 500 && !PASSING.includes(status) ? "refused" : "offline";
}

function readProblem(
  headers: Headers,
  body: string,
): (Partial<Problem> & Pick<Problem, "code" | "remedy">) | undefined {
  if (!headers.get("content-type")?.startsWith("application/problem+json")) return undefined;
  try {
    const problem = JSON.parse(body) as Partial<Problem> | null;
    const { code, remedy } = problem ?? {};
    return typeof code === "string" && typeof remedy === "string" ? { ...problem, code, remedy } : undefined;
  } catch {
    return undefined;
  }
}
