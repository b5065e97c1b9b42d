import { type Authenticate, grants } from "../../../src/server.ts";
import type { TokenKind } from "../history.ts";

/** How long a slow authenticator takes, ms: longer than several attempts to reconnect, shorter than they may take. */
const SLOW_MS = 250;

const OPEN = { grants: grants({ "**": ["subscribe", "publish"] }) };

/** A token says what the authenticator does with it; whoever has none may do anything at once. */
export function createChaosAuthenticate(after: (ms: number) => Promise<void>): Authenticate {
  const outcomes: Readonly<Record<TokenKind, () => ReturnType<Authenticate>>> = {
    accepted: () => OPEN,
    slow: () => inTime(after(SLOW_MS), OPEN),
    throws() {
      throw new Error("The authenticator of the test throws.");
    },
    rejects: () => Promise.reject(new Error("The authenticator of the test rejects.")),
    refused: () => undefined,
    none: () => undefined,
  };
  return ({ token }) => outcomes[(token ?? "accepted") as TokenKind]();
}

/** Thenable, and no `Promise`: test networks wait in real time for promises of an authenticator, and this takes theirs. */
function inTime<T>(time: Promise<void>, value: T): Promise<T> {
  const answer = time.then(() => value);
  // oxlint-disable-next-line unicorn/no-thenable -- a thenable is what it is for
  return { then: answer.then.bind(answer) } as Promise<T>;
}

/** The token function of a page: one token for each connection, in turn. */
export function tokensInTurn(
  tokens: readonly TokenKind[],
  count: (what: string) => void,
): () => string | undefined {
  let next = 0;
  return () => {
    const token = tokens[next++ % tokens.length] ?? "accepted";
    count(`authenticator: ${token}`);
    if (token === "none") throw new Error("The token function of the test throws.");
    return token;
  };
}
