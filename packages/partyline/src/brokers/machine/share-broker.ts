import { createServer } from "node:net";
import type { Broker, Logger } from "../../core/ports.ts";
import type { Entry } from "../../protocol/message.ts";
import { logger as isLogger, positive, readOptions, type Rules, string } from "../../protocol/options.ts";
import { openAddress } from "./address.ts";
import { Writer } from "./bytes.ts";
import { writeEntries } from "./fields.ts";
import { Guest, type House } from "./guest.ts";

/** What {@link shareBroker} can be told. */
export interface ShareOptions {
  /**
   * The path of a Unix socket, or of a named pipe (`\\.\pipe\…`) on Windows. What a process that was killed left there
   * is replaced. Only this user can connect.
   *
   * @default one of its own, in the folder for temporary files; what killed processes left of theirs is removed
   */
  readonly path?: string;
  /**
   * Most bytes that wait for a process that does not read, because it hangs or was stopped. With more, contact to it
   * is broken: it connects again when it goes on, and its readers read on from the log.
   *
   * @default 16 MiB
   */
  readonly unreadBytes?: number;
  /** Where it is told that contact to a process was broken. Default: nowhere. */
  readonly logger?: Logger;
}

const RULES: Rules<ShareOptions> = { path: string, unreadBytes: positive, logger: isLogger };

/** A broker that other processes of this machine can use. */
export interface SharedBroker extends AsyncDisposable {
  /** For `connectBroker`, in any process of this user. */
  readonly path: string;
  /** Processes that are connected. */
  readonly guests: number;
  /** Contacts that were broken from this side since the start: to processes that did not read, or spoke otherwise. */
  readonly broken: number;
  /** Ends all contacts. The broker goes on: it is its maker's to close. */
  close(): Promise<void>;
}

/**
 * Lets other processes of this machine use a broker: they share its channels, their order and their publish ids. It is
 * in one process, and gone with it unless it stores elsewhere.
 *
 * @throws Error where nothing can listen at the path: `EADDRINUSE` where another process does.
 *
 * @example For processes that pm2 or systemd starts; see `connectBroker` for their side.
 * ```ts
 * import { createMemoryBroker } from "partyline/brokers/memory";
 * import { shareBroker } from "partyline/brokers/machine";
 *
 * await shareBroker(createMemoryBroker(), { path: "/run/app/partyline" });
 * ```
 */
export async function shareBroker(broker: Broker, options: ShareOptions = {}): Promise<SharedBroker> {
  const { path, unreadBytes = 16 * 1024 * 1024, logger } = readOptions("shareBroker()", options, RULES);
  const guests = new Set<Guest>();
  let broken = 0;
  const house: House = {
    broker,
    encode: createEncoder(),
    unreadBytes,
    refuse(guest, why) {
      broken++;
      logger?.warn("contact to a process that shares the broker was broken", { why });
      guest.end();
    },
  };
  const address = await openAddress(path);
  const server = createServer((socket) => {
    const guest = new Guest(socket, house);
    guests.add(guest);
    socket.once("close", () => guests.delete(guest));
  });
  await address.listen(server);

  const end = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const guest of guests) guest.end();
    await closed;
    await address.remove();
  };
  let ending: Promise<void> | undefined;
  const close = (): Promise<void> => (ending ??= end());
  return {
    path: address.path,
    get guests() {
      return guests.size;
    },
    get broken() {
      return broken;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Brokers hand all listeners the same list, one after the other: its fields are written once. */
function createEncoder(): House["encode"] {
  const to = new Writer();
  let newest: { readonly entries: readonly Entry[]; readonly fields: Buffer } | undefined;
  const forget = (): void => void (newest = undefined);
  return (epoch, entries) => {
    if (newest?.entries !== entries) {
      writeEntries(to.text(epoch), entries);
      newest = { entries, fields: to.take() };
      queueMicrotask(forget);
    }
    return newest.fields;
  };
}
