/** What the pages of `outbox.browser.test.ts` have: the client, and where it keeps its publishes. */
export * from "../../../src/client/index.ts";
export * from "../../../src/client/indexed-db/index.ts";
