/**
 * Publishes that survive a reload of the page.
 *
 * @module
 */
export type { OutboxKeeper } from "../outbox-keeper.ts";
export { indexedDbOutbox, type IndexedDbOutboxOptions } from "./indexed-db-outbox.ts";
export type { StoredOutboxOptions } from "./shelf.ts";
export { storedOutbox } from "./stored-outbox.ts";
export type { LoadRequest, OutboxStore, StoredPublish } from "./outbox-store.ts";
