import { PartylineError } from "../protocol/errors.ts";
import { OPEN_GRANTS } from "./grants.ts";
import type { Authenticate, Authenticated, Credentials, Grants, MaybePromise } from "./ports.ts";

/** Turns credentials into grants; the answer may be a promise. @throws PartylineError `unauthorized`, or rejects with it. */
export type Authenticator = (credentials: Credentials) => MaybePromise<Grants>;

/**
 * Makes an authenticator from the application's function; without one, every peer receives `OPEN_GRANTS`.
 *
 * @throws TypeError if the option is not a function.
 */
export function createAuthenticator(authenticate: Authenticate | undefined): Authenticator {
  if (authenticate === undefined) return () => OPEN_GRANTS;
  if (typeof authenticate !== "function")
    throw new TypeError(
      "`authenticate` is a function of credentials that returns `{ grants }` or undefined.",
    );
  return (credentials) => {
    const answer: MaybePromise<Authenticated | null | undefined> = authenticate({
      token: credentials.token,
      // A closure, so that an application may take the credentials apart: `({ header, token }) => …`.
      header: (name) => credentials.header(name.toLowerCase()),
    });
    return isThenable(answer) ? Promise.resolve(answer).then(grantsOf) : grantsOf(answer);
  };
}

function isThenable<T>(answer: MaybePromise<T>): answer is Promise<T> {
  return typeof (answer as Partial<Promise<T>> | null | undefined)?.then === "function";
}

/** Reads an answer of the application, which TypeScript may not have checked: `null` refuses as `undefined` does. */
function grantsOf(answer: Authenticated | null | undefined): Grants {
  if (answer === undefined || answer === null)
    throw new PartylineError("unauthorized", "The server did not accept these credentials.");
  const grants: Partial<Grants> | null | undefined = answer.grants;
  if (typeof grants?.allows !== "function")
    throw new TypeError(
      "`authenticate` returned something other than `{ grants }` or undefined: return `{ grants: grants(table) }`.",
    );
  return answer.grants;
}
