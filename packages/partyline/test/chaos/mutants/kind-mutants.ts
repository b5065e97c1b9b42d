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
    seed: 5,
    breaks: ["unsettled"],
  },
  {
    kind: "proxies",
    name: "polls without news are repeated without a pause",
    file: "client/transports/poll.ts",
    find: "else await pause(Math.min(backoffDelay(idle++, request, runtime.random), wait * 1000), signal);",
    replace: "",
    seed: 11,
    breaks: ["unsettled"],
  },
  {
    kind: "offline",
    name: "a client waits for navigator.onLine",
    file: "client/connection.ts",
    find: "later(delay, attempt);\n      tell(status, { reason, retryAt: runtime.now() + delay });",
    replace:
      'if (status !== "offline") later(delay, attempt);\n      tell(status, { reason, retryAt: runtime.now() + delay });',
    seed: 8,
    breaks: ["unsettled", "behind"],
  },
  {
    kind: "uplinks",
    name: "a connection on which a frame arrives slowly is taken for dead",
    file: "transports/websocket-connection.ts",
    find: "if (this.#arrived < engine.limits.uploadBytesPerSecond * passed) return this.destroy();",
    replace: "return this.destroy();",
    seed: 15,
    breaks: ["unsettled"],
  },
  {
    kind: "uplinks",
    name: "a POST has no more time than the one before it",
    file: "client/transports/http.ts",
    find: "patience = Math.min(patience * 2, MAX_PATIENCE * (request.pingInterval + request.pongTimeout));",
    replace: "",
    seed: 2,
    breaks: ["unsettled"],
  },
  {
    kind: "queries",
    name: "a position in the query is not read",
    file: "http/resume.ts",
    find: "return query && (queryId(query) ?? query.get",
    replace: "return query && (query.get",
    seed: 2,
    breaks: ["doubled", "lost"],
  },
  {
    kind: "iterators",
    name: "an iterator that throws goes on waiting",
    file: "client/inbox.ts",
    find: 'for (const how of ["return", "throw"] as const) {',
    replace: 'for (const how of ["return"] as const) {',
    seed: 71,
    breaks: ["unsettled"],
  },
  {
    kind: "iterators",
    name: "an abandoned iterator holds up listeners",
    file: "client/subscription.ts",
    find: '(!events.has("message") && inboxes.some((inbox) => inbox.full)) ||',
    replace: "inboxes.some((inbox) => inbox.full) ||",
    seed: 5,
    breaks: ["behind"],
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
    find: "throw foreign(`the origin ${short}`, short);",
    replace: "return { origin: text, credentials: false };",
    seed: 9,
    breaks: ["foreign"],
  },
  {
    kind: "origins",
    name: "an allowed page may not send headers of its own",
    file: "http/headers.ts",
    find: "mirrors ? wanted : KNOWN_HEADERS,",
    replace: "KNOWN_HEADERS,",
    seed: 9,
    breaks: ["behind", "unsettled"],
  },
];
