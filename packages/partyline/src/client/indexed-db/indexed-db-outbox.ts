import { type OptionDefaults, readOptions } from "../options.ts";
import type { OutboxKeeper } from "../outbox-keeper.ts";
import { createIndexedDbStore } from "./indexed-db-store.ts";
import { OUTBOX_DEFAULTS, type StoredOutboxOptions } from "./shelf.ts";
import { storedOutbox } from "./stored-outbox.ts";

/** How publishes are kept; all of it has a default. */
export interface IndexedDbOutboxOptions extends StoredOutboxOptions {
  /**
   * Whose publishes these are. Give each user another name, or what one has left is sent in the name of the next who logs
   * in here. Default `"default"`.
   */
  readonly name?: string | undefined;
}

/**
 * Keeps the publishes of a page in IndexedDB, so that they survive a reload, a crash of the tab and days without a network.
 * What was sent before is stored once all the same, as long as the server knows the ids of that time; after that it is
 * told as `uncertain` by the event `dropped`.
 *
 * Each tab has a queue of its own. That of a tab that is gone is taken by the next one that opens, by one only (under a
 * Web Lock), or by one that was waiting for it. A publish is removed when it is settled, so also when its channel or client
 * is closed on purpose.
 *
 * Without IndexedDB or Web Locks (private windows of some browsers, pages without HTTPS) publishes work as without it, and
 * `onError` is told.
 *
 * @example
 * ```ts
 * import { createClient } from "partyline/client";
 * import { indexedDbOutbox } from "partyline/client/indexed-db";
 *
 * const client = createClient("/", { outbox: indexedDbOutbox({ name: user.id }) });
 * client.on("dropped", ({ publish, reason }) => tell(`"${publish.data}" was not sent: ${reason?.message}`));
 * ```
 */
export function indexedDbOutbox(options?: IndexedDbOutboxOptions): OutboxKeeper {
  const defaults: OptionDefaults<IndexedDbOutboxOptions> = { ...OUTBOX_DEFAULTS, name: undefined };
  const { name = "default", ...settings } = readOptions(options, defaults);
  return (...client) => storedOutbox(createIndexedDbStore(name), settings)(...client);
}
