import type { Kind } from "../kinds/kinds.ts";
import type { Mutant } from "./mutants.ts";

/** A bug that only one kind of trouble shows. */
export interface KindMutant extends Mutant {
  readonly kind: Kind;
}

export const KIND_MUTANTS: readonly KindMutant[] = [
  {
    kind: "spellings",
    name: "a client has one channel for each spelling of a name",
    file: "client/create-client.ts",
    find: "const name = spelling.normalize();",
    replace: "const name = spelling;",
    seed: 21,
    breaks: ["behind"],
  },
  {
    kind: "proxies",
    name: "a publish that a proxy refuses is repeated for ever",
    file: "client/transports/http.ts",
    find: "else for (const command of unanswered) command.answer(toFrame(error, verdict));",
    replace: "else waiting = [...unanswered, ...waiting];",
    seed: 4,
    breaks: ["unsettled"],
  },
  {
    kind: "authenticators",
    name: "a peer that the authenticator refuses may do anything",
    file: "core/authenticate.ts",
    find: 'throw new PartylineError("unauthorized", "The server did not accept these credentials.");',
    replace: "return OPEN_GRANTS;",
    seed: 2,
    breaks: ["foreign"],
  },
  {
    kind: "authenticators",
    name: "an authenticator that fails once refuses for good",
    file: "core/conversation.ts",
    find: "const failed = (error: unknown): void => this.#end(toPartylineError(error));",
    replace:
      'const failed = (error: unknown): void => this.#end(new PartylineError("unauthorized", String(error)));',
    seed: 28,
    breaks: ["behind", "unsettled"],
  },
  {
    kind: "origins",
    name: "pages of any origin are let in",
    file: "http/gate.ts",
    find: "if (anyOrigin || origins.has(given)) return origin;",
    replace: "return origin;",
    seed: 9,
    breaks: ["foreign"],
  },
];
